"""How long the lint takes when everything it reads is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.machine import tell_load
from gitops_e2e.commands import run

_RUNS = 3
_BOUND = 15 * 60.0


def measure() -> Iterator[Figure]:
    """The median of `make lint`, after one run that fetches and builds what is missing."""
    root = Path(__file__).parents[1]
    run(["make", "lint"], cwd=root, timeout=_BOUND)
    tell_load()
    seconds = [run(["make", "lint"], cwd=root, timeout=_BOUND).seconds for _ in range(_RUNS)]
    yield Figure("lint_s", median(seconds), "s", goal=10)
