"""Controllers: reconcilers, what wakes them, and the workers that run them."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Resource, Unreachable
from gitops_e2e.promoter.runtime.clients import StoringKube
from gitops_e2e.promoter.runtime.informers import Informer
from gitops_e2e.promoter.runtime.queues import WorkQueue
from gitops_e2e.promoter.runtime.stores import Change, Key, Store, Stores

_logger = logging.getLogger(__name__)

_UNREACHABLE_PAUSE = 1.0


class Reconciler(Protocol):
    """Brings the world in line with one object, however often it is asked to."""

    @property
    def resource(self) -> Resource:
        """Whose objects it reconciles."""

    def reconcile(self, manifest: Manifest) -> float | None:
        """Look at an object (the reconciler's own copy).

        Gives the seconds until the next look, None for "when something changes".
        Whatever it raises makes the object be looked at again after a pause that doubles with each failure.
        """


Predicate = Callable[[Change], bool]


@dataclass(frozen=True)
class Trigger:
    """What else wakes a reconciler: a change of another resource's object, mapped to keys of its own."""

    resource: Resource
    keys: Callable[[Change], Iterable[Key]]


def generation_changed(change: Change) -> bool:
    """The object is new, its spec changed or its deletion was asked for; not its status or metadata."""
    before, after = change.before, change.after
    if before is None or after is None:
        return after is not None
    return _identity(before) != _identity(after)


def annotation_changed(*keys: str) -> Predicate:
    """One of these annotations was set to another value."""

    def changed(change: Change) -> bool:
        return any(_annotation(change.before, key) != (_annotation(change.after, key) or None) for key in keys)

    return changed


def any_of(*predicates: Predicate) -> Predicate:
    """At least one of them holds."""
    return lambda change: any(predicate(change) for predicate in predicates)


@dataclass(frozen=True)
class Controller:
    """A reconciler and its wiring.

    `wakes` says which changes of an object itself are looked at, `workers` how many objects are looked at
    side by side.
    """

    reconciler: Reconciler
    wakes: Predicate = generation_changed
    triggers: Sequence[Trigger] = ()
    workers: int = 1


class Manager:
    """Runs controllers over one API server: informers first, then workers."""

    def __init__(self, kube: StoringKube, controllers: Sequence[Controller]) -> None:
        self._loops = [_Loop(controller, kube.stores) for controller in controllers]
        kube.stores.seal()
        self._informers = [Informer(kube, store) for store in kube.stores]

    def start(self, *, sync_within: float = 60.0) -> None:
        """Return once every store holds a full listing and the workers are at work. Raises NotSynced."""
        for informer in self._informers:
            informer.start()
        deadline = time.monotonic() + sync_within
        for informer in self._informers:
            informer.wait(max(0.0, deadline - time.monotonic()))
        for loop in self._loops:
            loop.start()

    def stop(self, *, within: float) -> None:
        """Hand out no more work, and let what is being done end, for so many seconds at most.

        Work that takes longer is cut off by the end of the process; it is taken up from the API objects next time.
        """
        deadline = time.monotonic() + within
        for loop in self._loops:
            loop.close()
        for informer in self._informers:
            informer.stop()
        for loop in self._loops:
            loop.join(deadline)


class _Loop:
    """One controller at work."""

    def __init__(self, controller: Controller, stores: Stores) -> None:
        self._controller = controller
        self._queue = WorkQueue()
        self._store: Store = stores.of(controller.reconciler.resource)
        self._store.listen(self._on_change)
        for trigger in controller.triggers:
            stores.of(trigger.resource).listen(self._waker(trigger))
        name = type(controller.reconciler).__name__
        self._threads = [
            threading.Thread(target=self._work, name=f"{name} {number}", daemon=True)
            for number in range(controller.workers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._queue.close()

    def join(self, deadline: float) -> None:
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _on_change(self, change: Change) -> None:
        if self._controller.wakes(change):
            self._queue.add(Key.of(change.newest))

    def _waker(self, trigger: Trigger) -> Callable[[Change], None]:
        def wake(change: Change) -> None:
            for key in trigger.keys(change):
                self._queue.add(key)

        return wake

    def _work(self) -> None:
        while (key := self._queue.take()) is not None:
            manifest = self._store.get(key)
            if manifest is None:
                self._queue.done(key)
            else:
                self._look(key, manifest)

    def _look(self, key: Key, manifest: Manifest) -> None:
        kind = manifest["kind"]
        try:
            again_after = self._controller.reconciler.reconcile(copy.deepcopy(manifest))
        except Unreachable as error:
            # Not the object's fault: an API server that was away for minutes must not cost minutes more.
            _logger.warning("%s %s: %s", kind, key, error)
            self._queue.done(key, _UNREACHABLE_PAUSE)
        except HarnessError as error:
            _logger.warning("%s %s: %s", kind, key, error)
            self._queue.failed(key)
        except Exception:
            # A defect that one object brings to light must not stop the work on all others.
            _logger.exception("%s %s: unexpected error", kind, key)
            self._queue.failed(key)
        else:
            self._queue.done(key, again_after)


def _identity(manifest: Manifest) -> tuple[object, ...]:
    metadata = manifest["metadata"]
    return metadata["uid"], metadata.get("generation"), metadata.get("deletionTimestamp")


def _annotation(manifest: Manifest | None, key: str) -> str | None:
    if manifest is None:
        return None
    value: str | None = manifest["metadata"].get("annotations", {}).get(key)
    return value
