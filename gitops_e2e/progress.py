"""What a run tells its user while it works: one line when something begins, one when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from gitops_e2e.evidence.redaction import Redactor


class Display(Protocol):
    """Where progress is shown. Safe to use from several threads; what it is given holds no secrets."""

    def say(self, line: str) -> None:
        """Show one line at once, whole even when threads speak together."""

    def doing(self, what: str) -> AbstractContextManager[None]:
        """Show a piece of work while it goes on, and how long it took when it went well."""


class Lines:
    """Plain lines on standard error, for terminals, files and pipes alike."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Print the line."""
        with self._lock:
            print(line, file=sys.__stderr__, flush=True)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Print a line when it begins, and one when it has ended well."""
        self.say(f"  … {what}")
        started = time.monotonic()
        yield
        self.say(done(what, time.monotonic() - started))


class Nothing:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Keep quiet."""

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:  # noqa: ARG002 - nobody is told
        """Keep quiet."""
        yield


_DISPLAYS: list[Display] = [Lines()]


@contextmanager
def shown_by(display: Display) -> Iterator[None]:
    """Show the progress of all threads there meanwhile, instead of as plain lines."""
    _DISPLAYS.append(display)
    try:
        yield
    finally:
        _DISPLAYS.remove(display)


def say(line: str) -> None:
    """Tell one line at once, without secrets of the environment."""
    _DISPLAYS[-1].say(Redactor.of_environment()(line))


def doing(what: str) -> AbstractContextManager[None]:
    """Announce a piece of work, and how long it took when it went well."""
    return _DISPLAYS[-1].doing(Redactor.of_environment()(what))


def done(what: str, seconds: float) -> str:
    """The line for a piece of work that went well."""
    return f"  ✓ {what} ({seconds:.1f} s)"
