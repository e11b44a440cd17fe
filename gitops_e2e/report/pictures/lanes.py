"""A release's way through the stages: a lane for each controller's word in each stage, a bar for each state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_e2e.report.pictures.course import Clock
from gitops_e2e.report.pictures.drawing import TONES, WIDTH, Picture, Spec, Table, draw, rows, seconds_axis
from gitops_e2e.report.pictures.observations import Course, Happening

_TONE_OF: Mapping[str, str] = {
    **dict.fromkeys(("Succeeded", "Successful", "Healthy", "Synced", "Verified"), "good"),
    **dict.fromkeys(("Failed", "Errored", "Error", "Degraded", "Unhealthy", "Aborted", "Inconclusive"), "bad"),
    **dict.fromkeys(("Progressing", "Running", "Pending", "Paused", "OutOfSync"), "waiting"),
}
_ENDS = {"Succeeded", "Successful", "Failed", "Errored", "Error", "Aborted", "Inconclusive"}
"""States of a Promotion or AnalysisRun after which nothing more happens to it: they are shown for a moment."""

_LASTING = 1.0
"""Seconds for which a moment is shown."""


@dataclass(frozen=True)
class Bar:
    """A state of an object, in seconds since the scenario began."""

    lane: str
    state: str
    name: str
    begin: float
    end: float

    @property
    def tone(self) -> str:
        """What the state means."""
        return _TONE_OF.get(self.state, "idle")


def lanes_picture(course: Course, clock: Clock) -> Picture | None:
    """The lanes of all stages, from the top to the bottom as a release goes; None where there are no bars."""
    bars = list(_bars(course, clock))
    if not bars:
        return None
    stages = [stage for stage in course.stages if any(bar.lane.startswith(f"{stage} ") for bar in bars)]
    return Picture(
        title="The way through the stages",
        caption=f"What Kargo, Argo CD and Argo Rollouts said, in {', '.join(stages)}.",
        svg=draw(_spec(bars)),
        table=Table(
            ("lane", "object", "state", "from second", "to second"),
            tuple((bar.lane, bar.name, bar.state, f"{bar.begin:.1f}", f"{bar.end:.1f}") for bar in bars),
        ),
    )


def _bars(course: Course, clock: Clock) -> Iterator[Bar]:
    end = max((clock.seconds(entry.wall) for entry in course.entries), default=0.0)
    for stage, namespace in course.stages.items():
        for lane, told in _lanes(course, stage, namespace):
            for name in dict.fromkeys(entry.name for entry in told):
                states = [entry for entry in told if entry.name == name]
                for entry, after in zip(states, [*states[1:], None], strict=True):
                    begin = clock.seconds(entry.wall)
                    state = _state(entry)
                    until = clock.seconds(after.wall) if after else begin + _LASTING if state in _ENDS else end
                    if until > begin and state != "gone":
                        yield Bar(f"{stage} {lane}", state, name, begin, until)


def _lanes(course: Course, stage: str, namespace: str) -> Iterator[tuple[str, Sequence[Happening]]]:
    def told(kind: str, what: str) -> list[Happening]:
        return [
            entry
            for entry in course.entries
            if entry.kind == kind
            and entry.what in {what, "gone"}
            and (
                entry.namespace == namespace
                or entry.data.get("stage") == stage
                or (kind, entry.name) == ("Stage", stage)
            )
        ]

    yield "Promotion", told("Promotion", "phase")
    yield "sync", told("Application", "sync")
    yield "health", told("Application", "health")
    yield "Rollout", told("Rollout", "phase")
    yield "analysis", told("AnalysisRun", "phase")
    yield "verification", told("Stage", "verification")


def _state(entry: Happening) -> str:
    for key in ("phase", "sync", "health"):
        if entry.data.get(key):
            return str(entry.data[key])
    return "created" if entry.what == "phase" else entry.what


def _spec(bars: Sequence[Bar]) -> Spec:
    lanes = list(dict.fromkeys(bar.lane for bar in bars))
    values = [
        {"lane": bar.lane, "state": bar.state, "begin": bar.begin, "end": bar.end, "tone": bar.tone} for bar in bars
    ]
    y = {"field": "lane", "type": "nominal", "sort": lanes, "axis": {"title": None, "labelLimit": 200}}
    x = {"field": "begin", "type": "quantitative", "axis": seconds_axis(), "scale": {"nice": False}}
    width = max(bar.end for bar in bars) - min(bar.begin for bar in bars)
    # A label is drawn only where its bar has room for it.
    labelled = [
        {"lane": bar.lane, "state": bar.state, "begin": bar.begin}
        for bar in bars
        if (bar.end - bar.begin) / width * WIDTH > 7 * len(bar.state)
    ]
    return {
        "width": WIDTH,
        "height": {"step": 26},
        "layer": [
            {
                "data": rows(values),
                "mark": {"type": "bar", "height": 18, "cornerRadius": 3, "fillOpacity": 0.3, "strokeWidth": 1.5},
                "encoding": {
                    "y": y,
                    "x": x,
                    "x2": {"field": "end"},
                    "fill": _tones("fill"),
                    "stroke": _tones("stroke"),
                },
            },
            {
                "data": rows(labelled),
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
                "encoding": {"y": y, "x": x, "text": {"field": "state"}},
            },
        ],
    }


def _tones(channel: str) -> Spec:
    return {
        "field": "tone",
        "type": "nominal",
        "legend": {"title": None} if channel == "fill" else None,
        "scale": {"domain": list(TONES), "range": list(TONES.values())},
    }
