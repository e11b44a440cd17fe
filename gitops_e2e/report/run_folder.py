"""Where the record of a run lies: `reports/<run>/record.jsonl`, written line by line while the run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.report import json_lines
from gitops_e2e.report.encoding import Line, decode, encode, joined, redacted
from gitops_e2e.report.record import Redact, RunRecord

_RECORD = "record.jsonl"
_TIMELINE = "timeline.jsonl"


class NoRecord(HarnessError):
    """There is no run, or nothing that can be read was recorded of it."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @staticmethod
    def create(reports: Path, started: datetime) -> RunFolder:
        """A new folder, named by the time, so that names sort as runs do. Raises OSError."""
        name = started.strftime("%Y-%m-%dT%H-%M-%SZ")
        for number in range(1, 1000):
            path = reports / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            return RunFolder(path)
        raise FileExistsError(f"there are a thousand runs called {name} in {reports}")

    @staticmethod
    def all(reports: Path) -> Sequence[RunFolder]:
        """The folders of all runs that left a record, oldest first."""
        return [RunFolder(record.parent) for record in sorted(reports.glob(f"*/{_RECORD}"))]

    @staticmethod
    def last(reports: Path) -> RunFolder:
        """The newest run's. Raises NoRecord."""
        runs = RunFolder.all(reports)
        if not runs:
            raise NoRecord("there is no run to report", where=str(reports), remedy="run `pytest features/` first")
        return runs[-1]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    def begin(self, run: RunRecord, redact: Redact) -> None:
        """Note what is known before the first scenario. Raises OSError."""
        self.add(Line(begin=run.begin), redact)
        for feature in run.features:
            self.add(Line(feature=feature), redact)

    def add(self, line: Line, redact: Redact) -> None:
        """Note one thing more. Raises OSError."""
        self.add_encoded(encode(line, redact))

    def add_encoded(self, line: str) -> None:
        """Note a line that was encoded where it was recorded. Raises OSError."""
        json_lines.append(self.path / _RECORD, [line])

    def add_timeline(self, entries: Sequence[str]) -> None:
        """Note what happened on the cluster, a line of JSON each. Raises OSError."""
        json_lines.append(self.path / _TIMELINE, entries)

    def timeline(self) -> Iterator[Any]:
        """What happened on the cluster, as it was noted; nothing where none was there."""
        return json_lines.read(self.path / _TIMELINE)

    def read(self, redact: Redact) -> RunRecord:
        """All that was noted, without what was not known to be secret when it was. Raises NoRecord."""
        record = self.path / _RECORD
        try:
            run = joined(decode(redacted(line, redact)) for line in json_lines.read(record))
        except ValueError as error:
            raise NoRecord(
                f"the record of run {self.name} is of another version: {error}",
                where=str(record),
                remedy="run `pytest features/` again",
            ) from error
        if run is None:
            raise NoRecord(f"nothing was recorded of run {self.name}", where=str(record))
        return run
