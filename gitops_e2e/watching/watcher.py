"""The thread that follows one resource: list, watch from the list's version, go on after every interruption.

What the API promises, and what follows (kubernetes.io/docs/reference/using-api/api-concepts, "Watch" and "410 Gone"):
- a watch from a list's resource version delivers every change after it: so list first, then watch from there;
- a stream may end at any time: go on from the last version seen, bookmarks included, and nothing is missed;
- a version may be too old (410): list again, and tell that states in between may be missing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from gitops_e2e.kube import Expired, Kube, KubeError, Manifest, NotFound, Resource, Unreachable, Watch
from gitops_e2e.watching.snapshot import Change, Collection, trimmed

if TYPE_CHECKING:
    from gitops_e2e.watching.cache import WatchCache

_WATCH_SECONDS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_REFUSALS_BEFORE_LISTING = 3


class Watcher(threading.Thread):
    """Keeps one resource of a cache up to date until it is stopped."""

    def __init__(self, kube: Kube, resource: Resource, cache: WatchCache) -> None:
        super().__init__(name=f"watch {resource.plural}", daemon=True)
        self._kube = kube
        self._resource = resource
        self._cache = cache
        self._stopping = threading.Event()
        self._watch: Watch | None = None
        self._version: str | None = None
        self._refusals = 0

    def stop(self) -> None:
        """Let the thread end now, not at the end of its stream."""
        self._stopping.set()
        if watch := self._watch:
            watch.stop()

    def run(self) -> None:
        """Follow the resource; ends when stopped, or by a mistake, which every reader hears of."""
        pause = _FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                ended_well = self._follow()
                # Back off from a server that refuses, or that ends streams at once.
                if time.monotonic() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                    if ended_well:
                        continue
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        except Exception as error:
            self._cache.fail(self._resource, error)
            raise

    def _follow(self) -> bool:
        """One list, where that is needed, and one watch to its end; whether that end was a regular one."""
        try:
            version = self._version or self._list()
            with self._kube.watch(self._resource, version, seconds=_WATCH_SECONDS) as watch:
                self._read(watch)
        except Expired:
            self._version = None
        except KubeError as error:
            self._cache.see(self._resource, error)
            self._refusals += not isinstance(error, Unreachable)
            # A resource that is gone comes back without its objects. A server that keeps refusing our version may
            # have lost its data ("too large resource version").
            if isinstance(error, NotFound) or self._refusals >= _REFUSALS_BEFORE_LISTING:
                self._version = None
        else:
            return True
        return False

    def _read(self, watch: Watch) -> None:
        self._watch = watch
        if self._stopping.is_set():  # `stop` came too early to see the watch
            return
        self._cache.see(self._resource, None)
        self._refusals = 0
        for event in watch:
            if event["type"] != "BOOKMARK":
                self._take(event["type"], event["object"])
            self._version = event["object"]["metadata"]["resourceVersion"]

    def _list(self) -> str:
        answer = self._kube.collection(self._resource)
        known = self._cache.collection(self._resource)
        found = {_key(item): item for item in answer["items"]}
        changes = [
            change
            for namespace, name in {*found, *_keys(known)}
            for change in self._changes(known.find(namespace, name), found.get((namespace, name)))
        ]
        self._cache.take(self._resource, changes, relisted=known.listed)
        version: str = answer["metadata"]["resourceVersion"]
        self._version = version
        return version

    def _take(self, kind: str, manifest: Manifest) -> None:
        before = self._cache.collection(self._resource).find(*_key(manifest))
        changes = self._changes(before, None if kind == "DELETED" else manifest)
        if changes:
            self._cache.take(self._resource, changes)

    def _changes(self, before: Manifest | None, after: Manifest | None) -> list[Change]:
        """What happened between two states: nothing, one change, or two when a name went to a new object."""
        if before and after:
            if before["metadata"]["uid"] != after["metadata"]["uid"]:
                return [*self._changes(before, None), *self._changes(None, after)]
            if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
                return []
        manifest = after or before
        if manifest is None:
            return []
        namespace, name = _key(manifest)
        after = trimmed(after, before) if after else None
        return [Change(self._resource, namespace or None, name, before, after, time.monotonic())]


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _keys(collection: Collection) -> set[tuple[str, str]]:
    return {(namespace, name) for namespace, objects in collection.objects.items() for name in objects}
