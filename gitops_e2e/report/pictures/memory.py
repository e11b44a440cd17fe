"""The memory of a rollout's pods against the limit by which its canary is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_e2e.report.pictures.course import Clock, StageCourse
from gitops_e2e.report.pictures.drawing import WIDTH, Picture, Spec, Table, draw, rows, seconds_axis
from gitops_e2e.report.pictures.observations import Memory

_MIB = 2**20
_TONES = {"Successful": "var(--good)", "Failed": "var(--bad)"}


def memory_picture(memory: Memory, course: StageCourse, clock: Clock) -> Picture | None:
    """One line a pod; None where there is nothing to see."""
    samples = list(_samples(memory, clock))
    if not samples:
        return None
    measurements = list(_measurements(course, clock))
    marks = course.marks(clock)
    limit = memory.limit / _MIB
    return Picture(
        title=f"Memory of the pods in {memory.stage}",
        caption=_caption(memory, samples, measurements),
        svg=draw(_spec(samples, measurements, marks, limit)),
        table=_table(samples, measurements, limit),
    )


def _samples(memory: Memory, clock: Clock) -> Iterator[Mapping[str, Any]]:
    for pod in memory.pods:
        for at, value in pod.samples:
            yield {
                "seconds": clock.seconds(at),
                "MiB": round(value / _MIB, 2),
                "pod": pod.pod,
                "role": pod.role,
                "line": f"{pod.role} {pod.pod.rpartition('-')[2]}",
            }


def _measurements(course: StageCourse, clock: Clock) -> Iterator[Mapping[str, Any]]:
    """What the analysis measured, as the controller reported it."""
    since = course.rollout_began
    for entry in course.of("AnalysisRun", "measurement"):
        if entry.data["metric"] != "memory" or (since and entry.wall < since):
            continue
        for number in entry.data.get("numbers", ()):
            yield {"seconds": clock.seconds(entry.wall), "MiB": round(number / _MIB, 2), "phase": entry.data["phase"]}


def _caption(memory: Memory, samples: Sequence[Mapping[str, Any]], measurements: Sequence[Mapping[str, Any]]) -> str:
    limit = memory.limit / _MIB
    heaviest = max((each["MiB"] for each in samples if each["role"] == "canary"), default=None)
    if heaviest is None:
        told = "Prometheus has no measurement of a canary pod"
    else:
        told = f"The heaviest canary pod used {heaviest:.0f} MiB; the limit is {limit:.0f} MiB (150 MB)"
    judged = ", ".join(f"{each['MiB']:.0f} MiB {each['phase']}" for each in measurements)
    return f"{told}. The analysis measured {judged or 'nothing'}."


def _spec(
    samples: Sequence[Mapping[str, Any]],
    measurements: Sequence[Mapping[str, Any]],
    marks: Sequence[Mapping[str, Any]],
    limit: float,
) -> Spec:
    x = {"field": "seconds", "type": "quantitative", "axis": seconds_axis(), "scale": {"zero": False, "nice": False}}
    y = {"field": "MiB", "type": "quantitative", "axis": {"title": "MiB"}, "scale": {"zero": True}}
    return {
        "width": WIDTH,
        "height": 240,
        "layer": [
            {
                "data": rows(marks),
                "mark": {"type": "rule", "color": "var(--idle)", "strokeDash": [2, 3]},
                "encoding": {"x": x},
            },
            {
                "data": rows(marks),
                "mark": {
                    "type": "text",
                    "angle": 335,
                    "align": "left",
                    "baseline": "bottom",
                    "y": -4,
                    "fontSize": 11,
                },
                "encoding": {"x": x, "text": {"field": "what"}},
            },
            {
                "data": rows([{"MiB": limit}]),
                "mark": {"type": "rule", "color": "var(--bad)", "strokeWidth": 2, "strokeDash": [8, 4]},
                "encoding": {"y": y},
            },
            {
                "data": rows([{"MiB": limit, "label": f"limit {limit:.0f} MiB"}]),
                "mark": {
                    "type": "text",
                    "align": "right",
                    "baseline": "bottom",
                    "x": WIDTH - 6,
                    "dy": -3,
                    "color": "var(--bad)",
                },
                "encoding": {"y": y, "text": {"field": "label"}},
            },
            {
                "data": rows(samples),
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {"field": "line", "type": "nominal", "title": None},
                    "strokeDash": {
                        "field": "role",
                        "type": "nominal",
                        "title": None,
                        "legend": None,
                        "scale": {"domain": ["canary", "stable"], "range": [[1, 0], [5, 3]]},
                    },
                },
            },
            {
                "data": rows(measurements),
                "mark": {
                    "type": "point",
                    "filled": True,
                    "opacity": 1,
                    "size": 110,
                    "stroke": "var(--ground)",
                    "strokeWidth": 1.5,
                },
                "encoding": {
                    "x": x,
                    "y": y,
                    "shape": {
                        "field": "phase",
                        "type": "nominal",
                        "title": "analysis measured",
                        "scale": {
                            "domain": ["Successful", "Failed", "Inconclusive", "Error"],
                            "range": ["circle", "triangle-up", "diamond", "cross"],
                        },
                    },
                    "fill": {
                        "condition": [
                            {"test": f"datum.phase == '{phase}'", "value": tone} for phase, tone in _TONES.items()
                        ],
                        "value": "var(--waiting)",
                    },
                },
            },
        ],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}},
    }


def _table(samples: Sequence[Mapping[str, Any]], measurements: Sequence[Mapping[str, Any]], limit: float) -> Table:
    told = []
    for line in dict.fromkeys((each["pod"], each["role"]) for each in samples):
        own = [each for each in samples if (each["pod"], each["role"]) == line]
        values = [each["MiB"] for each in own]
        above = sum(value > limit for value in values)
        told.append(
            (
                line[1],
                line[0],
                f"{own[0]['seconds']:.0f} to {own[-1]['seconds']:.0f}",
                f"{min(values):.1f}",
                f"{max(values):.1f}",
                f"{above} of {len(values)}",
            )
        )
    for each in measurements:
        over = "1 of 1" if each["MiB"] > limit else "0 of 1"
        at, value = f"{each['seconds']:.0f}", f"{each['MiB']:.1f}"
        told.append(("analysis", f"measurement: {each['phase']}", at, value, value, over))
    headings = ("who", "pod", "seconds", "least MiB", "most MiB", f"above {limit:.0f} MiB")
    return Table(headings, tuple(told))
