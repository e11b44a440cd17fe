"""One view of the cluster for a whole run: what was listed, kept up to date by watches.

Readers get snapshots, one for each change in the order of delivery, and sleep until there is a new one:
nobody polls.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Follower, Kube, KubeError, Resource
from gitops_e2e.watching.snapshot import Change, Collection, Place, Snapshot
from gitops_e2e.watching.timeline import WATCHED, Narrator, Timeline
from gitops_e2e.watching.waits import Wait
from gitops_e2e.watching.watcher import Watcher

_HISTORY = 20_000
_END_BOUND = 5.0


class WatchBroken(HarnessError):
    """A watch ended by a mistake of this program. Nothing that is read after it would be true."""


class WatchCache:
    """The objects of some resources, in all namespaces: as they are, and as they became so.

    `stories` names the resources, each with the narrator that tells its changes to the timeline; a resource that
    the API server does not know yet is waited for. `history` is how many snapshots are kept. `waits` are those that
    were made over it, oldest first.
    Use it as a context manager, or `start` and `close` it. Objects in snapshots are shared by all readers: never
    change them.
    """

    def __init__(self, kube: Kube, stories: Mapping[Resource, Narrator], *, history: int = _HISTORY) -> None:
        self.timeline = Timeline(stories)
        self.waits: list[Wait] = []
        self._changed = threading.Condition()
        self._snapshots = deque([Snapshot(0, time.monotonic(), {})], maxlen=history)
        self._broken: WatchBroken | None = None
        self._resources = tuple(stories)
        self._followers = [Follower(kube, resource, Watcher(resource, self)) for resource in stories]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> Self:
        """Begin to watch. What is there already is known a moment later; until then it is Blind, not absent."""
        for follower in self._followers:
            follower.start()
        return self

    def close(self) -> None:
        """End all watches. Snapshots and the timeline can still be read."""
        for follower in self._followers:
            follower.stop()
        for follower in self._followers:
            follower.join(_END_BOUND)

    # --- for readers

    def now(self) -> Snapshot:
        """The newest snapshot. Raises WatchBroken."""
        return self.history()[-1]

    def seen(self, *, within: float) -> Snapshot:
        """The newest snapshot once every resource was listed, or after `within` seconds. Raises WatchBroken."""
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._sees_all, max(0.0, within))
            self._check()
            return self._last

    def history(self) -> Sequence[Snapshot]:
        """All snapshots that are kept, oldest first. Raises WatchBroken."""
        with self._changed:
            self._check()
            return tuple(self._snapshots)

    def after(self, revision: int, *, within: float) -> Sequence[Snapshot]:
        """The snapshots after a revision, oldest first; waits up to `within` seconds for the first of them.

        Empty when nothing changed in that time. Raises WatchBroken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._last.revision > revision, max(0.0, within))
            self._check()
            newest_first = islice(reversed(self._snapshots), self._last.revision - revision)
            return tuple(newest_first)[::-1]

    def _check(self) -> None:
        if self._broken:
            raise self._broken

    # --- for watchers

    @property
    def _last(self) -> Snapshot:
        return self._snapshots[-1]

    @property
    def _sees_all(self) -> bool:
        known = self._last.collections
        return all(resource in known and known[resource].blind is None for resource in self._resources)

    def collection(self, resource: Resource) -> Collection:
        """A resource's objects as they are known."""
        with self._changed:
            return self._last.collections.get(resource, Collection())

    def take(self, resource: Resource, changes: Sequence[Change], *, relisted: bool = False) -> None:
        """Take in what a watch delivered or a list showed, as one snapshot."""
        with self._changed:
            collection = self.collection(resource)
            for change in changes:
                collection = collection.with_change(change)
            places = frozenset(Place(resource, change.namespace) for change in changes)
            self._publish(resource, replace(collection, listed=True), places, relisted=relisted)
            if relisted:
                self.timeline.note(resource, "listed again: states since the last one seen may be missing")
            for change in changes:
                self.timeline.tell(change)

    def see(self, resource: Resource, blind: KubeError | None) -> None:
        """Tell that a resource is watched from now on, or why it cannot be."""
        reason = str(blind) if blind else None
        with self._changed:
            collection = self.collection(resource)
            if collection.blind != reason:
                everywhere = frozenset({Place(resource, None)})
                self._publish(resource, replace(collection, blind=reason), everywhere)
                self.timeline.note(resource, reason or WATCHED)

    def fail(self, resource: Resource, error: Exception) -> None:
        """Tell every reader that a watcher made a mistake."""
        with self._changed:
            self._broken = WatchBroken(f"the watch of {resource.plural} broke: {error!r}")
            self._changed.notify_all()

    def _publish(
        self, resource: Resource, collection: Collection, places: frozenset[Place], *, relisted: bool = False
    ) -> None:
        collections = {**self._last.collections, resource: collection}
        self._snapshots.append(Snapshot(self._last.revision + 1, time.monotonic(), collections, places, relisted))
        self._changed.notify_all()
