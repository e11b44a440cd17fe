"""Files of JSON lines to which processes append, several at once, and any of which may be killed while it does."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def append(file: Path, lines: Sequence[str]) -> None:
    """Add whole lines, given without their ends; nobody else's come between them.

    A line that a killed writer left unfinished is ended first, so that it spoils no other.
    """
    if not lines:
        return
    data = "".join(line + "\n" for line in lines).encode()
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_torn(descriptor):
            data = b"\n" + data
        while data:  # one write, unless the kernel takes less, as it does when the disk is nearly full
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def read(file: Path) -> Iterator[Any]:
    """What the lines say, oldest first; torn ones are left out. Nothing where there is no file."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as opened:
        for line in opened:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
