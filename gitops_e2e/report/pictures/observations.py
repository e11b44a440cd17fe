"""What is kept of a scenario to draw pictures from: attachments of media types of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from gitops_e2e.report.record import Attachment

T = TypeVar("T")

Role = Literal["canary", "stable"]


@dataclass(frozen=True)
class Happening:
    """One entry of the timeline; see watching's Entry."""

    wall: datetime
    namespace: str | None
    kind: str
    name: str
    what: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Course:
    """What happened to a pipeline: `stages` are the namespaces of its stages by name."""

    stages: Mapping[str, str]
    entries: tuple[Happening, ...]


@dataclass(frozen=True)
class PodMemory:
    """A pod's memory: pairs of time and bytes."""

    pod: str
    role: Role
    samples: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class Memory:
    """The memory of a stage's pods during a rollout, by the query of its canary check, against the limit in bytes."""

    stage: str
    limit: float
    query: str
    pods: tuple[PodMemory, ...]


@dataclass(frozen=True)
class Answers:
    """How many requests had the same outcome in one second: who answered, or why there was no good answer."""

    at: datetime
    version: str | None
    failure: str | None
    count: int


@dataclass(frozen=True)
class Asked:
    """What became of requests to a stage's stable Service, in time order."""

    stage: str
    path: str
    answers: tuple[Answers, ...]


@dataclass(frozen=True)
class PodRequests:
    """Requests a second that the pods of one release answered with one status: pairs of time and rate."""

    role: Role
    status: str
    samples: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class Served:
    """What the stable pods and the canary's pods of a stage answered during a rollout, by their own metrics."""

    stage: str
    query: str
    requests: tuple[PodRequests, ...]


Observation = Course | Memory | Asked | Served

_MEDIA_TYPES: Mapping[type[Observation], str] = {
    kind: f"application/vnd.gitops-e2e.{kind.__name__.lower()}+json" for kind in (Course, Memory, Asked, Served)
}


def media_type(observation: Observation) -> str:
    """The media type that an observation is attached with."""
    return _MEDIA_TYPES[type(observation)]


def to_json(observation: Observation) -> str:
    """The observation as the text of an attachment."""
    return TypeAdapter(type(observation)).dump_json(observation).decode()


def is_observation(attachment: Attachment) -> bool:
    """Whether pictures are drawn from it."""
    return attachment.media_type in _MEDIA_TYPES.values()


def of(attachments: Sequence[Attachment], kind: type[T]) -> Iterator[T]:
    """The observations of one kind among a scenario's attachments. Raises ValueError for what is none."""
    wanted = next(name for each, name in _MEDIA_TYPES.items() if each is kind)
    for attachment in attachments:
        if attachment.media_type == wanted and attachment.text:
            yield TypeAdapter(kind).validate_json(attachment.text)
