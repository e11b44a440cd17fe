"""Reading the course of a pipeline: what its rollouts, measurements and releases did, in seconds since the scenario
began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_e2e.report.pictures.observations import Course, Happening

_APART = timedelta(seconds=0.5)


@dataclass(frozen=True)
class Clock:
    """Times of a scenario, as seconds since it began."""

    began: datetime

    def seconds(self, at: datetime) -> float:
        """The time as seconds, to the millisecond."""
        return round((at - self.began).total_seconds(), 3)


@dataclass(frozen=True)
class StageCourse:
    """What happened in one stage's namespace."""

    stage: str
    entries: Sequence[Happening]

    def of(self, kind: str, what: str) -> Iterator[Happening]:
        """The entries about a kind of object, of a kind of fact."""
        return (entry for entry in self.entries if entry.kind == kind and entry.what == what)

    @property
    def version_of(self) -> Mapping[str, str]:
        """The service's version by pod-template-hash, as the pods tell it."""
        return {
            str(entry.data["release"]): _tag(entry.data["images"])
            for entry in self.of("Pod", "created")
            if entry.data.get("images")
        }

    def label(self, release: str) -> str:
        """What a release is called in a picture."""
        version = self.version_of.get(release)
        return f"{version} ({release})" if version else release

    @property
    def rollout_began(self) -> datetime | None:
        """When the newest release was asked for, if there was one before it."""
        asked = list(self.of("Rollout", "asked"))
        return asked[-1].wall if len(asked) > 1 else None

    def marks(self, clock: Clock) -> Sequence[Mapping[str, Any]]:
        """The moments of the rollout that other things are seen against: steps of the canary, and the abort.

        What comes within half a second of the abort is part of it.
        """
        since = self.rollout_began
        aborts = list(self.of("Rollout", "abort"))
        steps = [
            step for step in self.of("Rollout", "step") if all(abs(step.wall - each.wall) >= _APART for each in aborts)
        ]
        return [
            {"seconds": clock.seconds(entry.wall), "what": _mark(entry)}
            for entry in sorted([*steps, *aborts], key=lambda each: each.wall)
            if since is None or entry.wall >= since
        ]


def stage_courses(course: Course) -> Iterator[StageCourse]:
    """The stages' courses."""
    for stage, namespace in course.stages.items():
        yield StageCourse(stage, [entry for entry in course.entries if entry.namespace == namespace])


def _mark(entry: Happening) -> str:
    if entry.what == "abort":
        return "aborted"
    return f"step {entry.data['step']}, weight {entry.data['weight']}"


def _tag(images: Sequence[str]) -> str:
    """The version of the service: its container is the first."""
    return str(images[0]).rpartition(":")[2]
