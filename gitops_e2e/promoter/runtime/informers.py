"""Informers: each keeps one store in step with the API server by list and watch."""

from __future__ import annotations

import logging
import threading

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Expired, Kube, KubeError, NotFound
from gitops_e2e.promoter.runtime.stores import Store

_logger = logging.getLogger(__name__)

_WATCH_SECONDS = 120  # how long a connection that went dead without a word may stay unnoticed
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_UNSERVED_PAUSE = 15.0


class NotSynced(HarnessError):
    """An informer did not get its first listing in time."""


class Informer:
    """Lists and watches one resource in a thread of its own, until the process ends or `stop` is set."""

    def __init__(self, kube: Kube, store: Store, stop: threading.Event) -> None:
        self._kube = kube
        self._store = store
        self._stop = stop
        self._synced = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"informer {store.resource.plural}", daemon=True)

    def start(self) -> None:
        """Begin to list and watch."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the first listing; a kind that the server does not serve counts as empty. Raises NotSynced."""
        if not self._synced.wait(seconds):
            raise NotSynced(
                f"no listing of {self._store.resource.plural} within {seconds:.0f} s",
                where=self._kube.host,
                remedy="look whether the API server answers and this account may list and watch them",
            )

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                version = self._list()
                pause = _FIRST_PAUSE
                self._watch(version)
            except Expired:
                continue
            except NotFound:
                # Argo CD and Argo Rollouts are optional, and may come later than the engine.
                self._synced.set()
                self._stop.wait(_UNSERVED_PAUSE)
            except KubeError as error:
                _logger.warning("%s", error)
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _list(self) -> str:
        collection = self._kube.collection(self._store.resource)
        self._store.listed(collection)
        self._synced.set()
        return str(collection["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        """One watch after the other. Ends by an error, or when stopped."""
        while not self._stop.is_set():
            with self._kube.watch(self._store.resource, version, seconds=_WATCH_SECONDS) as events:
                for event in events:
                    version = str(event["object"]["metadata"]["resourceVersion"])
                    self._store.watched(event)
