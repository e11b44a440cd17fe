"""Whether this machine can do what is about to be done: rights, disk, memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gitops_e2e.errors import HarnessError

_MEMINFO = Path("/proc/meminfo")
_GIB = 2**30


class NotRoot(HarnessError):
    """The process lacks the rights of root."""


class TooLittleDisk(HarnessError):
    """A file system has less space left than is needed."""


class TooLittleMemory(HarnessError):
    """Less memory is available than is needed."""


def require_root(*, purpose: str) -> None:
    """Raise NotRoot unless this process is root's."""
    if os.geteuid() != 0:
        raise NotRoot(f"{purpose} needs root, and this runs as user {os.geteuid()}", remedy="run it as root")


def require_disk(path: Path, needed: int, *, purpose: str) -> None:
    """Raise TooLittleDisk unless `needed` bytes are free where `path` is, or will be."""
    existing = next(place for place in (path, *path.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise TooLittleDisk(
            f"{purpose} needs {_gib(needed)} of free disk, and there are {_gib(free)}",
            where=str(existing),
            remedy="free some space there, or set XDG_CACHE_HOME to a folder on a larger file system",
        )


def require_memory(needed: int, *, purpose: str) -> None:
    """Raise TooLittleMemory unless the kernel says that `needed` bytes are available without swapping."""
    available = available_memory()
    if available < needed:
        raise TooLittleMemory(
            f"{purpose} needs {_gib(needed)} of memory, and {_gib(available)} are available",
            remedy="end what uses the memory, or take a larger machine",
        )


def memory_for(each: int, *, beside: int) -> int:
    """How many things of `each` bytes have room in the available memory, `beside` something of so many bytes."""
    return max(0, available_memory() - beside) // each


def available_memory() -> int:
    """How many bytes the kernel could give to whoever asks, without swapping."""
    for line in _MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise HarnessError("the kernel does not say how much memory is available", where=str(_MEMINFO))


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
