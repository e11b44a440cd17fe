"""A user who never stops asking: proof that a service answered all the time, or the list of when it did not."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline import asking
from gitops_e2e.pipeline.asking import RATE, Outcome
from gitops_e2e.pipeline.endpoint import Endpoint

_START_BOUND = 60.0
_END_BOUND = 30.0
_SHOWN = 2000


class ProbeError(HarnessError):
    """The probe itself is broken or was not started; nothing can be said about the service."""


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
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._began = threading.Event()
        self._started: float | None = None
        self._ended: float | None = None

    def start(self) -> None:
        """Return once it asks. Raises ProbeError."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", asking.__name__, self.endpoint.url, self.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the harness
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), name="probe", daemon=True)
        self._reader.start()
        self._began.wait(_START_BOUND)
        if self._started is None:
            self._process.kill()
            self.stop()

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
        if self._process is None or self._reader is None:
            raise ProbeError("the probe was never started", where=self.endpoint.url)
        if self._ended is None:
            self._ended = time.monotonic()
            self._end(self._process, self._reader)
        return self.summary()

    def summary(self) -> Summary:
        """What became of the requests so far."""
        outcomes = sorted(self._outcomes, key=lambda outcome: outcome.at)
        now = self._ended or time.monotonic()
        return Summary(tuple(outcomes), now - (self._started or now))

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

    def _read(self, printed: Iterable[str]) -> None:
        for line in printed:
            if self._started is None:
                self._started = time.monotonic()
                self._began.set()
            else:
                self._outcomes.append(Outcome.read(line))
        self._began.set()  # or it never will

    def _end(self, process: subprocess.Popen[str], reader: threading.Thread) -> None:
        """Also lets go of all that belongs to the process."""
        broken = process.poll() is not None
        if not broken and process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it broke just now, as its exit code says
                print(asking.STOP, file=process.stdin, flush=True)
        reader.join(_END_BOUND)
        if late := reader.is_alive():
            process.kill()
        with process:  # which closes its pipes, and waits
            said = process.stderr.read() if process.stderr else ""
        if late:
            raise ProbeError(f"a request did not end within {_END_BOUND:g} s", where=self.endpoint.url)
        if broken or process.returncode:
            raise ProbeError(f"the probe broke before it was stopped: {said[-_SHOWN:]}", where=self.endpoint.url)
