"""Informers: each keeps one store in step with the API server by list and watch."""

from __future__ import annotations

import logging
import threading

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Follower, Kube, KubeError, Manifest, NotFound
from gitops_e2e.promoter.runtime.stores import Store

_logger = logging.getLogger(__name__)


class NotSynced(HarnessError):
    """An informer did not get its first listing in time."""


class Informer:
    """Fills one store, in a thread of its own, until it is stopped."""

    def __init__(self, kube: Kube, store: Store) -> None:
        self._store = store
        self._synced = threading.Event()
        self._blind = ""
        self._follower = Follower(kube, store.resource, self)

    def start(self) -> None:
        """Begin to list and watch."""
        self._follower.start()

    def stop(self) -> None:
        """End the watch."""
        self._follower.stop()

    def wait(self, seconds: float) -> None:
        """Wait for the first listing; a kind that the server does not serve counts as empty. Raises NotSynced."""
        if not self._synced.wait(seconds):
            raise NotSynced(
                f"no listing of {self._store.resource.plural} within {seconds:.0f} s: {self._blind or 'no answer'}",
                remedy="look whether the API server answers, and whether this account may list and watch them",
            )

    # --- for the follower

    def listed(self, collection: Manifest) -> None:
        """Take over a listing."""
        self._store.listed(collection)
        self._synced.set()

    def watched(self, event: Manifest) -> None:
        """Take over an event."""
        self._store.watched(event)

    def sees(self, blind: KubeError | None) -> None:
        """Tell once of each reason why nothing can be seen."""
        if isinstance(blind, NotFound):
            self._synced.set()  # Argo CD and Argo Rollouts are optional, and may come later than the engine
        reason = str(blind) if blind else ""
        if reason and reason != self._blind:
            _logger.warning("%s", reason)
        self._blind = reason

    def broke(self, error: Exception) -> None:
        """Name the store whose informer is about to die."""
        _logger.critical("the store of %s is not filled any more: %r", self._store.resource.plural, error)
