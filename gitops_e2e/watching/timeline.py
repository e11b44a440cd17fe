"""What happened, across all controllers, in the order in which it was delivered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.watching.snapshot import Change

WATCHED = "watched"
"""What is told of a resource when its watch begins, or goes on."""


@dataclass(frozen=True)
class Fact:
    """Something that a change means: one sentence for people, the same as data for reports.

    `what` is the kind of fact ("weight", "measurement"). The other words are given where the fact is not about the
    object that changed: an Event is about its Pod, and an Application's story is told where it deploys to.
    """

    what: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    namespace: str | None = None
    kind: str | None = None
    name: str | None = None


Narrator = Callable[[Manifest | None, Manifest | None], Iterable[Fact]]
"""Tells what a change from one state of an object to the next means; None is an object that is not there."""


@dataclass(frozen=True)
class Entry:
    """One line of the timeline. `at` is monotonic time in seconds, `wall` the same moment on the clock."""

    at: float
    wall: datetime
    namespace: str | None
    kind: str
    name: str
    what: str
    text: str
    data: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.wall:%H:%M:%S}.{self.wall.microsecond // 1000:03} {self.kind} {self.name}: {self.text}"

    def as_json(self) -> str:
        """The entry as one line of JSON."""
        return json.dumps({**vars(self), "wall": self.wall.isoformat()}, default=str)


class Timeline:
    """The facts of all changes since the cache began to watch, short-lived states included."""

    def __init__(self, narrators: Mapping[Resource, Narrator]) -> None:
        self._narrators = narrators
        self._entries: list[Entry] = []

    def tell(self, change: Change) -> None:
        """Add what the narrator of the change's resource says about it."""
        for fact in self._narrators[change.resource](change.before, change.after):
            self._entries.append(
                Entry(
                    at=change.at,
                    wall=change.wall,
                    namespace=fact.namespace or change.namespace,
                    kind=fact.kind or change.resource.kind,
                    name=fact.name or change.name,
                    what=fact.what,
                    text=fact.text,
                    data=fact.data,
                )
            )

    def note(self, resource: Resource, text: str) -> None:
        """Add something about the watch of a resource itself; it belongs to every namespace's story."""
        self._entries.append(
            Entry(
                at=time.monotonic(),
                wall=datetime.now(UTC),
                namespace=None,
                kind="watch",
                name=resource.plural,
                what="watch",
                text=text,
                data={},
            )
        )

    def entries(self, *namespaces: str) -> tuple[Entry, ...]:
        """The entries that concern these namespaces, or all when none is given, oldest first."""
        wanted = (*namespaces, None)
        return tuple(entry for entry in tuple(self._entries) if not namespaces or entry.namespace in wanted)

    def write(self, file: Path, *namespaces: str) -> None:
        """Write the entries as JSON lines."""
        file.write_text("".join(entry.as_json() + "\n" for entry in self.entries(*namespaces)))
