"""What is shown in a terminal, and what in a file or a pipe: there, no colour codes and nothing that moves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from gitops_e2e.progress import Display, Lines, Nothing, done

_WIDE = 240


def console() -> Console:
    """Standard output, for results. What is no terminal has no width."""
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)


def table(*columns: str) -> Table:
    """An empty table with these headings, without lines."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for each in columns:
        made.add_column(each, overflow="fold")
    return made


@contextmanager
def progress_display(*, quiet: bool) -> Iterator[Display]:
    """How this process shows progress: bars in a terminal, else lines; nothing where it is to be quiet."""
    if quiet:
        yield Nothing()
    elif sys.stderr.isatty():
        with _Bars() as bars:
            yield bars
    else:
        yield Lines()


class _Bars:
    """A bar with its time for each piece of work that goes on, a line above them for each that has ended."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        columns = (
            TextColumn(" "),
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20, pulse_style="cyan"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._lock = threading.Lock()
        self._going_on = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._console.print(line)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """A bar that moves until the work has ended."""
        self._begin()
        task = self._progress.add_task(what, total=None)
        started = time.monotonic()
        try:
            yield
        finally:
            self._progress.remove_task(task)
            self._end()
        self.say(done(what, time.monotonic() - started))

    def _begin(self) -> None:
        with self._lock:
            self._going_on += 1
            self._progress.start()

    def _end(self) -> None:
        with self._lock:
            self._going_on -= 1
            if not self._going_on:
                self._progress.stop()
