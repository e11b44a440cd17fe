"""A rollout over time: the canary's weight, and how many pods of each release were ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_e2e.report.pictures.course import Clock, StageCourse
from gitops_e2e.report.pictures.drawing import WIDTH, Picture, Spec, Table, draw, rows, seconds_axis

Row = Mapping[str, Any]


def rollout_picture(course: StageCourse, clock: Clock) -> Picture | None:
    """Weight above, ReplicaSets below; None where nothing was rolled out over something else."""
    since = course.rollout_began
    if since is None:
        return None
    begin = clock.seconds(since)
    end = max(clock.seconds(entry.wall) for entry in course.entries)
    before = {"seconds": begin, "weight": 0}  # there is no canary yet
    asked = [row for row in _weights(course, clock) if row["seconds"] >= begin]
    weights = _since(begin, [before, *asked], end) if asked else []
    sizes = [row for release in _releases(course) for row in _since(begin, list(_sizes(course, clock, release)), end)]
    if not weights or not sizes:
        return None
    marks = course.marks(clock)
    return Picture(
        title=f"Rollout in {course.stage}",
        caption=_caption(course, weights),
        svg=draw(_spec(weights, sizes, marks)),
        table=_table(course, clock, begin),
    )


def _weights(course: StageCourse, clock: Clock) -> Iterator[Row]:
    for entry in course.of("Rollout", "step"):
        yield {"seconds": clock.seconds(entry.wall), "weight": entry.data["weight"]}


def _sizes(course: StageCourse, clock: Clock, release: str) -> Iterator[Row]:
    for entry in course.of("ReplicaSet", "size"):
        if entry.data["release"] == release:
            yield {
                "seconds": clock.seconds(entry.wall),
                "ready": entry.data["ready"],
                "wanted": entry.data["desired"],
                "release": course.label(release),
            }


def _releases(course: StageCourse) -> Sequence[str]:
    return list(dict.fromkeys(str(entry.data["release"]) for entry in course.of("ReplicaSet", "size")))


def _since(begin: float, told: Sequence[Row], end: float) -> Sequence[Row]:
    """The states from `begin` on, with the one that was there then, up to `end`."""
    before = [row for row in told if row["seconds"] < begin]
    after = [row for row in told if row["seconds"] >= begin]
    states = [*({**row, "seconds": begin} for row in before[-1:]), *after]
    return [*states, {**states[-1], "seconds": end}] if states else []


def _caption(course: StageCourse, weights: Sequence[Row]) -> str:
    went = " → ".join(f"{weight} %" for weight in _distinct(row["weight"] for row in weights))
    aborted = next(course.of("Rollout", "abort"), None)
    return f"The canary's weight went {went}" + (", as the rollout was aborted." if aborted else ".")


def _distinct(values: Iterator[Any]) -> Sequence[Any]:
    told: list[Any] = []
    for value in values:
        if not told or told[-1] != value:
            told.append(value)
    return told


def _spec(weights: Sequence[Row], sizes: Sequence[Row], marks: Sequence[Row]) -> Spec:
    x = {"field": "seconds", "type": "quantitative", "scale": {"zero": False, "nice": False}, "axis": seconds_axis("")}
    below = {**x, "axis": seconds_axis()}
    rules = {
        "data": rows(marks),
        "mark": {"type": "rule", "color": "var(--idle)", "strokeDash": [2, 3]},
        "encoding": {"x": x},
    }
    step = {"interpolate": "step-after", "strokeWidth": 2}
    return {
        "vconcat": [
            {
                "width": WIDTH,
                "height": 110,
                "layer": [
                    rules,
                    {
                        "data": rows(weights),
                        "mark": {
                            "type": "area",
                            "line": {**step, "color": "var(--series-1)"},
                            **step,
                            "color": "var(--series-1)",
                            "fillOpacity": 0.15,
                        },
                        "encoding": {
                            "x": x,
                            "y": {
                                "field": "weight",
                                "type": "quantitative",
                                "scale": {"domain": [0, 100]},
                                "axis": {"title": "weight of the canary, %", "tickCount": 5},
                            },
                        },
                    },
                ],
            },
            {
                "width": WIDTH,
                "height": 110,
                "layer": [
                    {**rules, "encoding": {"x": below}},
                    {
                        "data": rows(sizes),
                        "mark": {"type": "line", **step},
                        "encoding": {
                            "x": below,
                            "y": {
                                "field": "ready",
                                "type": "quantitative",
                                "axis": {"title": "pods ready", "tickMinStep": 1},
                            },
                            "color": {"field": "release", "type": "nominal", "title": None},
                            "strokeDash": {"field": "release", "type": "nominal", "title": None},
                        },
                    },
                ],
            },
        ],
        "resolve": {"scale": {"x": "shared"}},
    }


def _table(course: StageCourse, clock: Clock, begin: float) -> Table:
    told = []
    for entry in course.entries:
        seconds = clock.seconds(entry.wall)
        if seconds >= begin and (entry.kind, entry.what) in {
            ("Rollout", "step"),
            ("Rollout", "phase"),
            ("Rollout", "abort"),
            ("ReplicaSet", "size"),
        }:
            release = entry.data.get("release")
            told.append((f"{seconds:.1f}", entry.kind, course.label(release) if release else "", entry.text))
    return Table(("seconds", "object", "release", "what happened"), tuple(told))
