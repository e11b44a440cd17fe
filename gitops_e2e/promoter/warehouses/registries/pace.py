"""How often a registry is asked: a steady pace, with a little slack after a rest (behaviour file, 2.4)."""

from __future__ import annotations

import threading
import time

from gitops_e2e.promoter.warehouses.registries.repositories import Repository

_DOCKER_HUB_PER_SECOND, _OTHERS_PER_SECOND = 10, 20
_SLACK = 10  # so many requests may come at once after a rest


class Pace:
    """Lets so many callers pass a second. Safe to share between threads."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0  # monotonic seconds
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - _SLACK * self._interval)
            self._next = turn + self._interval
        if turn > now:
            time.sleep(turn - now)


class Paces:
    """One pace for each registry, whoever asks it."""

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def of(self, repository: Repository) -> Pace:
        """The pace at which a repository's registry is asked."""
        rate = _DOCKER_HUB_PER_SECOND if repository.host.endswith("docker.io") else _OTHERS_PER_SECOND
        with self._lock:
            return self._paces.setdefault(repository.host, Pace(rate))
