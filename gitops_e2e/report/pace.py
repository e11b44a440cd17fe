"""How long the scenarios of a run took beside each other, and how long they would have had to at least."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from gitops_e2e.report.record import RunRecord, ScenarioRecord

GOAL = 1.25
"""How much more than the least a run may take."""


@dataclass(frozen=True)
class Pace:
    """Seconds: from the first step of all to the end of the last scenario; of the longest scenario, from its first step
    to its last; and of all pods that were made for scenarios, added up. The cluster has room for `capacity` at once.
    """

    after_set_up: float
    longest: float
    pod_seconds: float
    capacity: int

    @classmethod
    def of(cls, run: RunRecord, timeline: Iterable[Mapping[str, Any]]) -> Self | None:
        """A run's, of whose cluster the timeline tells, entry by entry; None where no step was taken on a cluster."""
        spans = [span for scenario in run.scenarios if (span := _span(scenario))]
        if not spans or run.surroundings is None:
            return None
        begun = min(first for first, _ in spans)
        ended = max(each.started + timedelta(seconds=each.seconds) for each in run.scenarios)
        return cls(
            after_set_up=(ended - begun).total_seconds(),
            longest=max((last - first).total_seconds() for first, last in spans),
            pod_seconds=_pod_seconds(timeline, begun, ended),
            capacity=run.surroundings.pods_at_once,
        )

    @property
    def least(self) -> float:
        """What it would have taken at least: the longest scenario, or all pods with no room left empty."""
        return max(self.longest, self.pod_seconds / self.capacity)

    def __str__(self) -> str:
        """It in a sentence, with the goal."""
        crowded = self.pod_seconds / self.capacity
        return (
            f"pace: scenarios took {self.after_set_up:.0f} s after set-up; the longest {self.longest:.0f} s; "
            f"their pods {self.pod_seconds:.0f} s, {crowded:.0f} s with {self.capacity} at once "
            f"(goal: {GOAL * self.least:.0f} s)"
        )


def _span(scenario: ScenarioRecord) -> tuple[datetime, datetime] | None:
    taken = [(step.started, step.seconds) for step in scenario.steps if step.started]
    if not taken:
        return None
    (first, _), (last, seconds) = taken[0], taken[-1]
    return first, last + timedelta(seconds=seconds)


def _pod_seconds(timeline: Iterable[Mapping[str, Any]], begun: datetime, ended: datetime) -> float:
    """Of those that were made since; one that is not seen to go lasts to the end."""
    made: dict[tuple[str, str], datetime] = {}
    seconds = 0.0
    for entry in timeline:
        if entry["kind"] != "Pod" or (at := datetime.fromisoformat(entry["wall"])) < begun:
            continue
        pod = (entry["namespace"], entry["name"])
        if entry["what"] == "created":
            made[pod] = at
        elif entry["what"] == "gone" and pod in made:
            seconds += (at - made.pop(pod)).total_seconds()
    return seconds + sum((ended - at).total_seconds() for at in made.values())
