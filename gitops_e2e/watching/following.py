"""Following a subject: each of its states as it is delivered, for whoever shows them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TypeVar

from gitops_e2e.watching.expectation import Impossible, Pending
from gitops_e2e.watching.snapshot import with_whole_resources
from gitops_e2e.watching.waiting import Subject, seen

T = TypeVar("T")

_UNBROKEN = 1.0


def follow(subject: Subject[T], *, within: float) -> Iterator[T | Pending | Impossible]:
    """The subject as it is, then each other state of it, for `within` seconds at the most.

    Where a second passes without one, the last comes again: what is shown of it may have a clock. Raises WatchBroken.
    """
    deadline = time.monotonic() + within
    scope = with_whole_resources(subject.scope)
    snapshot = subject.cache.now()
    last = seen(subject, snapshot)
    yield last
    while (left := deadline - time.monotonic()) > 0:
        news = subject.cache.after(snapshot.revision, within=min(left, _UNBROKEN))
        told = False
        for snapshot in news:
            if snapshot.touches(scope) and (reading := seen(subject, snapshot)) != last:
                last, told = reading, True
                yield last
        if not told:
            yield last
