"""The work queue of a controller: every key once, never two workers on one key, failures back off."""

from __future__ import annotations

import threading
import time

from gitops_e2e.promoter.runtime.stores import Key

_BASE_SECONDS, _CAP_SECONDS = 0.005, 1000.0  # behaviour file, "reconcile error"


class WorkQueue:
    """Keys to be looked at, now or at a later moment. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: dict[Key, None] = {}  # in the order of their arrival
        self._taken: set[Key] = set()
        self._again: set[Key] = set()  # woken while taken
        self._due: dict[Key, float] = {}  # monotonic seconds
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key) -> None:
        """Have the key looked at as soon as a worker is free."""
        with self._changed:
            if key in self._taken:
                self._again.add(key)
            else:
                self._ready[key] = None
                self._changed.notify()

    def take(self) -> Key | None:
        """Wait for a key; it belongs to the caller until `done` or `failed`. None when the queue is closed."""
        with self._changed:
            while not self._closed:
                pause = self._ripen()
                if self._ready:
                    key = next(iter(self._ready))
                    del self._ready[key]
                    self._due.pop(key, None)  # this very look replaces the one that was planned
                    self._taken.add(key)
                    return key
                self._changed.wait(pause)
            return None

    def done(self, key: Key, again_after: float | None = None) -> None:
        """The key was looked at; look again after so many seconds (None: when something wakes it)."""
        with self._changed:
            self._failures.pop(key, None)
            self._release(key, again_after)

    def failed(self, key: Key) -> None:
        """The look at the key failed: look again after a pause that doubles with every failure in a row."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            # The exponent is bounded as 2**n of a key that fails for days has no float.
            self._release(key, min(_BASE_SECONDS * 2.0 ** min(failures, 30), _CAP_SECONDS))

    def close(self) -> None:
        """Hand out no more keys."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # --- under the lock

    def _release(self, key: Key, again_after: float | None) -> None:
        self._taken.discard(key)
        if again_after is not None:
            self._due[key] = time.monotonic() + again_after
        if key in self._again:
            self._again.discard(key)
            self._ready[key] = None
        self._changed.notify()

    def _ripen(self) -> float | None:
        """Move what is due to the ready keys; the seconds until the next one is, None without one."""
        now = time.monotonic()
        for key in [key for key, due in self._due.items() if due <= now]:
            del self._due[key]
            self._ready[key] = None
        return min(self._due.values()) - now if self._due else None
