"""A user who never stops asking: proof that a service answered all the time, or the list of when it did not."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline.endpoint import Endpoint, NoAnswer

RATE = 25.0
"""Requests a second."""

_THREADS = 50
"""So many requests may hang before the rate falls: on a busy machine an answer takes up to a second, or even two."""

_END_BOUND = 30.0


class ProbeError(HarnessError):
    """The probe itself is broken or was not started; nothing can be said about the service."""


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    `failure` is None for a good answer (2xx), else the reason; `version` is who answered, if anyone did.
    """

    at: datetime
    version: str | None
    failure: str | None


@dataclass(frozen=True)
class Summary:
    """What became of all requests, in the order they were sent, over `seconds`."""

    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.outcomes)

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """The requests without a good answer."""
        return tuple(outcome for outcome in self.outcomes if outcome.failure)

    @property
    def versions(self) -> Mapping[str, int]:
        """How many good answers each release gave."""
        return Counter(outcome.version or "unknown" for outcome in self.outcomes if not outcome.failure)

    def overlap(self, before: str, after: str) -> float:
        """For how many seconds both releases answered: from the first answer of one to the last of the other.

        0 where the one release only answered once the other had given its last answer.
        """
        begins = [outcome.at for outcome in self.outcomes if outcome.version == after]
        ends = [outcome.at for outcome in self.outcomes if outcome.version == before]
        return max(0.0, (max(ends) - min(begins)).total_seconds()) if begins and ends else 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.sent / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        answered = ", ".join(f"{version}: {count}" for version, count in sorted(self.versions.items()))
        reasons = Counter(str(outcome.failure) for outcome in self.lost)
        lost = "".join(f"; {count} lost ({reason})" for reason, count in reasons.most_common())
        return f"{self.sent} requests in {self.seconds:.1f} s, answered by {answered or 'nobody'}{lost}"


class Probe:
    """Asks an endpoint's path at RATE, each time over a fresh connection, from `start` to `stop`.

    A slow answer does not slow the others down. Also a context manager.
    """

    def __init__(self, endpoint: Endpoint, path: str = "/health") -> None:
        self.endpoint = endpoint
        self.path = path
        self._outcomes: list[Outcome] = []
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()
        self._started = 0.0
        self._ended: float | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._started = time.monotonic()
        self._threads = [
            threading.Thread(target=self._ask, args=(number,), name=f"probe-{number}", daemon=True)
            for number in range(_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def await_version(self, version: str, *, within: float) -> None:
        """Go on until the newest good answer is of that release. Raises ProbeError."""
        deadline = time.monotonic() + within
        while (newest := self._newest_version()) != version:
            if time.monotonic() > deadline:
                raise ProbeError(
                    f"{newest or 'nobody'} answers after {within:g} s, and not {version}", where=self.endpoint.url
                )
            time.sleep(1 / RATE)

    def stop(self) -> Summary:
        """End, wait for the answers that are due, and tell; may be called again. Raises ProbeError."""
        if not self._threads:
            raise ProbeError("the probe was never started", where=self.endpoint.url)
        if self._ended is None:
            if not all(thread.is_alive() for thread in self._threads):
                raise ProbeError("the probe broke before it was stopped", where=self.endpoint.url)
            self._ended = time.monotonic()
            self._ending.set()
        for thread in self._threads:
            thread.join(_END_BOUND)
            if thread.is_alive():
                raise ProbeError(f"a request did not end within {_END_BOUND:g} s", where=self.endpoint.url)
        return self.summary()

    def summary(self) -> Summary:
        """What became of the requests so far."""
        outcomes = sorted(self._outcomes, key=lambda outcome: outcome.at)
        return Summary(tuple(outcomes), (self._ended or time.monotonic()) - self._started)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _newest_version(self) -> str | None:
        good = [outcome for outcome in tuple(self._outcomes) if not outcome.failure]
        return max(good, key=lambda outcome: outcome.at).version if good else None

    def _ask(self, number: int) -> None:
        period = _THREADS / RATE
        due = self._started + number / RATE
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            self._outcomes.append(self._outcome())
            due += period  # after a slow answer it catches up

    def _outcome(self) -> Outcome:
        at = datetime.now(UTC)
        try:
            answer = self.endpoint.get(self.path)
        except NoAnswer as error:
            return Outcome(at, None, error.what)
        failure = None if 200 <= answer.status < 300 else f"status {answer.status}"
        return Outcome(at, answer.version, failure)
