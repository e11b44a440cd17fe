"""What became of requests during a rollout: as their sender saw them, and as the pods counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_e2e.report.pictures.course import Clock, StageCourse
from gitops_e2e.report.pictures.drawing import PALETTE, WIDTH, Picture, Spec, Table, draw, rows, seconds_axis
from gitops_e2e.report.pictures.observations import Answers, Asked, Served

Row = Mapping[str, Any]
_LOST = "no good answer"


def asked_picture(asked: Asked, course: StageCourse, clock: Clock) -> Picture | None:
    """Requests a second by who answered; None where none were sent."""
    if not asked.answers:
        return None
    total = sum(each.count for each in asked.answers)
    lost = sum(each.count for each in asked.answers if each.failure)
    by_outcome = Counter[str]()
    for each in asked.answers:
        by_outcome[_outcome(each)] += each.count
    told = ", ".join(f"{count} by {who}" for who, count in by_outcome.items() if who != _LOST)
    return Picture(
        title=f"Requests to the stable Service of {asked.stage}",
        caption=f"{total} requests to {asked.path}: answered {told or 'by nobody'}; {lost or 'none'} lost.",
        svg=draw(_bars(asked, course, clock)),
        table=Table(
            ("outcome", "requests", "first at second", "last at second"),
            tuple(_outcome_rows(asked, clock)),
        ),
    )


def served_picture(served: Served, course: StageCourse, clock: Clock) -> Picture | None:
    """Requests a second that stable and canary pods answered, by status; None where Prometheus has none."""
    values = [
        {"seconds": clock.seconds(at), "rate": rate, "line": f"{each.role} {each.status}", "role": each.role}
        for each in served.requests
        for at, rate in each.samples
    ]
    if not values:
        return None
    failures = sorted({each.status for each in served.requests if not each.status.startswith(("2", "3"))})
    return Picture(
        title=f"What the pods of {served.stage} answered",
        caption="Requests a second by the pods' own metrics; those of Kubernetes' probes and of the analysis are among "
        f"them. Statuses other than success: {', '.join(failures) or 'none'}.",
        svg=draw(_lines(values, course.marks(clock))),
        table=Table(
            ("who", "status", "seconds", "most a second"),
            tuple(
                (
                    each.role,
                    each.status,
                    f"{clock.seconds(each.samples[0][0]):.0f} to {clock.seconds(each.samples[-1][0]):.0f}",
                    f"{max(rate for _, rate in each.samples):.1f}",
                )
                for each in served.requests
                if each.samples
            ),
        ),
    )


def _outcome(answers: Answers) -> str:
    return _LOST if answers.failure else f"release {answers.version}"


def _outcome_rows(asked: Asked, clock: Clock) -> Sequence[tuple[str, str, str, str]]:
    kinds = dict.fromkeys((_outcome(each), each.failure or "") for each in asked.answers)
    told = []
    for outcome, failure in kinds:
        own = [each for each in asked.answers if (_outcome(each), each.failure or "") == (outcome, failure)]
        what = f"{outcome}: {failure}" if failure else outcome
        first, last = clock.seconds(own[0].at), clock.seconds(own[-1].at)
        told.append((what, str(sum(each.count for each in own)), f"{first:.0f}", f"{last:.0f}"))
    return told


def _bars(asked: Asked, course: StageCourse, clock: Clock) -> Spec:
    values = [
        {
            "seconds": clock.seconds(each.at),
            "until": clock.seconds(each.at) + 1,
            "count": each.count,
            "who": _outcome(each),
        }
        for each in asked.answers
    ]
    outcomes = sorted({str(each["who"]) for each in values})
    colours = ["var(--bad)" if who == _LOST else PALETTE[number] for number, who in enumerate(outcomes)]
    x = {"field": "seconds", "type": "quantitative", "axis": seconds_axis(), "scale": {"zero": False, "nice": False}}
    return {
        "width": WIDTH,
        "height": 140,
        "layer": [
            {
                "data": rows(values),
                "mark": {"type": "bar", "strokeWidth": 0},
                "encoding": {
                    "x": {**x, "bin": "binned"},
                    "x2": {"field": "until"},
                    "y": {
                        "field": "count",
                        "type": "quantitative",
                        "stack": True,
                        "axis": {"title": "requests a second"},
                    },
                    "color": {
                        "field": "who",
                        "type": "nominal",
                        "title": "answered by",
                        "scale": {"domain": outcomes, "range": colours},
                    },
                },
            },
            _rules(course.marks(clock), x),
        ],
    }


def _lines(values: Sequence[Row], marks: Sequence[Row]) -> Spec:
    x = {"field": "seconds", "type": "quantitative", "axis": seconds_axis(), "scale": {"zero": False, "nice": False}}
    return {
        "width": WIDTH,
        "height": 140,
        "layer": [
            _rules(marks, x),
            {
                "data": rows(values),
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "y": {"field": "rate", "type": "quantitative", "axis": {"title": "requests a second"}},
                    "color": {"field": "line", "type": "nominal", "title": None},
                    "strokeDash": {"field": "line", "type": "nominal", "title": None},
                },
            },
        ],
    }


def _rules(marks: Sequence[Row], x: Spec) -> Spec:
    return {
        "data": rows(marks),
        "mark": {"type": "rule", "color": "var(--idle)", "strokeDash": [2, 3]},
        "encoding": {"x": x},
    }
