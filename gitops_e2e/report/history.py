"""What became of each scenario from run to run: one line for each result, in one file that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from gitops_e2e.report import json_lines
from gitops_e2e.report.book import BAD, Book, Status
from gitops_e2e.report.encoding import redacted_json
from gitops_e2e.report.record import Redact, RunRecord

HISTORY = "history.jsonl"
"""The file, in the folder of all runs."""

SHOWN = 20
"""So many of a scenario's newest results are looked at."""

_FLIPS_OF_FLAKY = 2

Change = Literal["", "new", "broken", "fixed"]


@dataclass(frozen=True)
class Result:
    """What became of a scenario in a run; `attempts` counts from 1."""

    run: str
    at: str
    commit: str
    scenario: str
    status: Status
    seconds: float
    attempts: int

    @property
    def is_bad(self) -> bool:
        """Whether it failed, in whatever way."""
        return self.status in BAD

    @property
    def is_verdict(self) -> bool:
        """Whether it says anything about what is tested."""
        return self.is_bad or self.status == "passed"


@dataclass(frozen=True)
class Story:
    """A scenario's results, oldest first, up to the run that is told about."""

    results: tuple[Result, ...]

    @property
    def verdicts(self) -> Sequence[Result]:
        """The results that say pass or fail."""
        return [result for result in self.results if result.is_verdict]

    @property
    def flips(self) -> int:
        """How often it went from good to bad or from bad to good."""
        verdicts = self.verdicts
        return sum(last.is_bad != this.is_bad for last, this in pairwise(verdicts))

    @property
    def is_flaky(self) -> bool:
        """Whether it went back and forth, or was good only when it was tried again."""
        retried = any(result.attempts > 1 and not result.is_bad for result in self.verdicts)
        return retried or self.flips >= _FLIPS_OF_FLAKY

    @property
    def change(self) -> Change:
        """What the newest result is to the one before: a scenario's first, newly broken, or fixed."""
        verdicts = self.verdicts
        if not verdicts or self.results[-1] is not verdicts[-1]:
            return ""
        if len(verdicts) == 1:
            return "new"
        before, now = verdicts[-2], verdicts[-1]
        if before.is_bad == now.is_bad:
            return ""
        return "broken" if now.is_bad else "fixed"

    @property
    def broken_since(self) -> Result | None:
        """The first of the failures that last up to now."""
        since = None
        for result in reversed(self.verdicts):
            if not result.is_bad:
                break
            since = result
        return since


def results(run: RunRecord, book: Book) -> Sequence[Result]:
    """The results of a run's scenarios, of those that were run."""
    return [
        Result(
            run=run.begin.name,
            at=run.begin.started.isoformat(),
            commit=run.begin.commit,
            scenario=case.id,
            status=case.status,
            seconds=round(case.seconds, 3),
            attempts=case.last.attempt + 1,
        )
        for case in book.cases
        if case.last
    ]


def remember(file: Path, new: Sequence[Result], redact: Redact) -> None:
    """Add results to the file. Raises OSError."""
    json_lines.append(file, [redacted_json(asdict(each), redact) for each in new])


def recall(file: Path, run: str) -> Mapping[str, Story]:
    """What the file tells of each scenario up to a run, the newest `SHOWN` results."""
    by_scenario: dict[str, list[Result]] = {}
    for result in sorted(_read(file), key=lambda each: each.at):
        if result.run <= run:
            by_scenario.setdefault(result.scenario, []).append(result)
    return {scenario: Story(tuple(each[-SHOWN:])) for scenario, each in by_scenario.items()}


def _read(file: Path) -> Iterable[Result]:
    """All results; of a scenario that was tried again in a run, the last."""
    found = (Result(**line) for line in json_lines.read(file) if _is_result(line))
    return {(result.run, result.scenario): result for result in found}.values()


def _is_result(line: Any) -> bool:
    return isinstance(line, dict) and line.keys() == Result.__dataclass_fields__.keys()
