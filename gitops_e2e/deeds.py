"""What the harness itself does to a machine and a cluster, told to whoever listens: commands, and manifests.

What is done in any thread is heard of, and nothing is kept that nobody wants. (Python's logging would do, but what is
logged is shown below a failed test, and pushes what matters off the screen.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Ran:
    """A command that was run for so many seconds. `exit_code` is None where it was ended for taking too long."""

    argv: tuple[str, ...]
    seconds: float
    exit_code: int | None
    ended: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Applied:
    """A manifest that was applied, created or patched: `verb` says which. For a patch it is the patch alone."""

    verb: str
    object: str
    manifest: Mapping[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


Deed = Ran | Applied

_LISTENERS: list[Callable[[Deed], None]] = []
_UNHEARD = ContextVar("_UNHEARD", default=False)


def tell(deed: Deed) -> None:
    """Let everyone who listens know, unless it is nobody's affair."""
    for listener in () if _UNHEARD.get() else tuple(_LISTENERS):
        listener(deed)


@contextmanager
def unheard() -> Iterator[None]:
    """What this thread does meanwhile is nobody's affair: who listens does so for something else."""
    before = _UNHEARD.set(True)
    try:
        yield
    finally:
        _UNHEARD.reset(before)


@contextmanager
def listening() -> Iterator[list[Deed]]:
    """Hear of everything that is done meanwhile."""
    heard: list[Deed] = []
    listener = heard.append
    _LISTENERS.append(listener)
    try:
        yield heard
    finally:
        # By identity: equal lists have equal methods.
        _LISTENERS[:] = [each for each in _LISTENERS if each is not listener]
