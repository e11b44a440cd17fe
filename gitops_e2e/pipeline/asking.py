"""The probe's own process: asks at a steady rate. Says so, then prints what became of each request, a line each.

It is a process of its own, and goes before others, as its word must not depend on how busy the harness is: among the
threads of a scenario, on a machine whose processors are all busy, it missed seconds at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from gitops_e2e.pipeline.endpoint import Endpoint, NoAnswer

RATE = 25.0
"""Requests a second."""

STOP = "stop"
"""What this process is told to end once the answers are there that are due; at the end of its input it ends at once."""

_THREADS = 50
"""So many requests may hang before the rate falls: on a busy machine an answer takes up to a second, or even two."""

_NICENESS = -10


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    `failure` is None for a good answer (2xx), else the reason; `version` is who answered, if anyone did.
    """

    at: datetime
    version: str | None
    failure: str | None

    @classmethod
    def read(cls, line: str) -> Self:
        """From the line that was printed of it."""
        at, version, failure = json.loads(line)
        return cls(datetime.fromisoformat(at), version, failure)

    def __str__(self) -> str:
        return json.dumps([self.at.isoformat(), self.version, self.failure])


def outcome(endpoint: Endpoint, path: str) -> Outcome:
    """Of one request, over a fresh connection."""
    at = datetime.now(UTC)
    try:
        answer = endpoint.get(path)
    except NoAnswer as error:
        return Outcome(at, None, error.what)
    failure = None if 200 <= answer.status < 300 else f"status {answer.status}"
    return Outcome(at, answer.version, failure)


class _Asking:
    """Requests at RATE; a slow answer does not slow the others down."""

    def __init__(self, endpoint: Endpoint, path: str) -> None:
        self._endpoint = endpoint
        self._path = path
        self._ending = threading.Event()
        self._printing = threading.Lock()
        self._started = time.monotonic()
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(_THREADS)]

    def start(self) -> None:
        self._say("asking")
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Send no more, and wait for the answers that are due."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        period = _THREADS / RATE
        due = self._started + number / RATE
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            self._say(str(outcome(self._endpoint, self._path)))
            due += period  # after a slow answer it catches up

    def _say(self, line: str) -> None:
        with self._printing:
            print(line, flush=True)  # noqa: T201 - which is read by the probe


def main(url: str, path: str) -> None:
    """Ask until told to stop, or until there is nobody to tell."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)  # which the threads inherit
    threading.excepthook = _end_at_once
    asking = _Asking(Endpoint(url), path)
    asking.start()
    if sys.stdin.readline().strip() == STOP:
        asking.end()


def _end_at_once(failure: threading.ExceptHookArgs) -> None:
    """A probe that asks less than it should says nothing about a service."""
    threading.__excepthook__(failure)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
