"""How long all scenarios took beside each other, by what the newest run recorded: `make features` first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from gitops_e2e.errors import HarnessError
from gitops_e2e.report.pace import GOAL, Pace
from gitops_e2e.report.run_folder import RunFolder

_REPORTS = Path("reports")


def measure() -> Iterator[Figure]:
    """`suite_s`, after the set-up; and over what it would have taken at least. Raises HarnessError without a run."""
    folder = RunFolder.last(_REPORTS)
    pace = Pace.of(folder.read(str), folder.timeline())
    if pace is None:
        raise HarnessError(f"run {folder.name} came to no scenario", where=str(folder.path))
    yield Figure("suite_s", pace.after_set_up, "s")
    yield Figure("suite_over_longest", pace.after_set_up / pace.least, "", goal=GOAL)
