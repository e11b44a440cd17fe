"""Locks between processes of one machine: files that a process holds, and that are free once it has ended."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.errors import HarnessError

_POLL = 0.2


class LockTimedOut(HarnessError):
    """Others have held a lock for too long."""


@contextmanager
def held(
    path: Path, *, within: float, shared: bool = False, waiting: Callable[[str], object] | None = None
) -> Iterator[None]:
    """Hold the lock for the time of the block: alone, or with others who share it.

    `waiting` is told once, if somebody else has the lock, which process took it last. Raises LockTimedOut after
    `within` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _acquire(file.fileno(), path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, within, waiting)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _acquire(fd: int, path: Path, mode: int, within: float, waiting: Callable[[str], object] | None) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            fcntl.flock(fd, mode | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = path.read_text() or "unknown"
        if waiting:
            waiting(holder)
            waiting = None
        if time.monotonic() > deadline:
            raise LockTimedOut(
                f"process {holder} has held this lock for {within / 60:g} minutes",
                where=str(path),
                remedy=f"end process {holder} if it hangs, then run again",
            )
        time.sleep(_POLL)
