"""What a run tells its user while it works: one line when something begins, one when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gitops_e2e.evidence.redaction import Redactor

_lock = threading.Lock()


def say(line: str) -> None:
    """Print one line at once, whole even when threads speak together, and without secrets of the environment."""
    line = Redactor.of_environment()(line)
    with _lock:
        print(line, file=sys.__stderr__, flush=True)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Announce a piece of work, and how long it took when it went well."""
    say(f"  … {what}")
    started = time.monotonic()
    yield
    say(f"  ✓ {what} ({time.monotonic() - started:.1f} s)")
