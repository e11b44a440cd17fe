"""The thread that follows one resource: list, watch from the list's version, go on after every interruption.

What the API promises, and what follows (kubernetes.io/docs/reference/using-api/api-concepts, "Watch" and "410 Gone"):
- a watch from a list's resource version delivers every change after it: so list first, then watch from there;
- a stream may end at any time: go on from the last version seen, bookmarks included, and nothing is missed;
- a version may be too old (410): list again; states in between may be missing.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from gitops_e2e.kube.client import Kube
from gitops_e2e.kube.errors import Expired, KubeError, NotFound, Unreachable
from gitops_e2e.kube.objects import Manifest, Resource
from gitops_e2e.kube.watch import Watch

_WATCH_SECONDS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_REFUSALS_BEFORE_LISTING = 3


class Observer(Protocol):
    """Is told by the follower's thread what becomes of a resource."""

    def listed(self, collection: Manifest) -> None:
        """All objects as they are now, in place of what was told before."""

    def watched(self, event: Manifest) -> None:
        """One watch event, bookmarks included."""

    def sees(self, blind: KubeError | None) -> None:
        """The resource is watched from now on, or cannot be for this reason."""

    def broke(self, error: Exception) -> None:
        """The observer itself made a mistake; it is told nothing more."""


class Follower(threading.Thread):
    """Tells an observer of one resource, in all namespaces, until it is stopped."""

    def __init__(self, kube: Kube, resource: Resource, observer: Observer) -> None:
        super().__init__(name=f"watch {resource.plural}", daemon=True)
        self._kube = kube
        self._resource = resource
        self._observer = observer
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
        """Follow the resource; ends when stopped, or by a mistake of the observer."""
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
            self._observer.broke(error)
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
            self._observer.sees(error)
            self._refusals += not isinstance(error, Unreachable)
            # A resource that is gone comes back without its objects. A server that keeps refusing our version may
            # have lost its data ("too large resource version").
            if isinstance(error, NotFound) or self._refusals >= _REFUSALS_BEFORE_LISTING:
                self._version = None
        else:
            return True
        return False

    def _list(self) -> str:
        collection = self._kube.collection(self._resource)
        self._observer.listed(collection)
        version: str = collection["metadata"]["resourceVersion"]
        self._version = version
        return version

    def _read(self, watch: Watch) -> None:
        self._watch = watch
        if self._stopping.is_set():  # `stop` came too early to see the watch
            return
        self._observer.sees(None)
        self._refusals = 0
        for event in watch:
            self._observer.watched(event)
            self._version = event["object"]["metadata"]["resourceVersion"]
