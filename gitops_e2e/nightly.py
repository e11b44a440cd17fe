"""`python -m gitops_e2e.nightly TARGET…`: makes one target after the other, whatever becomes of them.

It ends with a few lines that name what broke and since when. These also lie in `reports/nightly.txt`; what became of
the targets from night to night in `reports/nightly.jsonl`; scenarios come from the summaries of the night's runs, in
`reports/` and in `reports/kind/`: not from runs of mutants, where they are meant to fail.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.progress import say
from gitops_e2e.report import json_lines

REPORTS = Path("reports")
ON_KIND = "kind"
"""The folder, in that of all reports, of the runs on kind."""

HISTORY = "nightly.jsonl"
SUMMARY = "nightly.txt"
_RUN_NAME = "%Y-%m-%dT%H-%M-%SZ"
"""How runs are called, so that their names sort as they do."""

_BOUND = 4 * 3600.0
_ENDING_BOUND = 180.0
_SHOWN = 10
_TIMED_OUT = 124
_INTERRUPTED = 130
_ENDED_BY = {_TIMED_OUT: signal.SIGTERM, _INTERRUPTED: signal.SIGINT}


@dataclass(frozen=True)
class Outcome:
    """What became of a target in the night that began at `at` (ISO 8601), at a commit ("" where there is none)."""

    at: str
    commit: str
    target: str
    exit_code: int
    seconds: float

    @property
    def is_bad(self) -> bool:
        """Whether it failed."""
        return self.exit_code != 0

    def __str__(self) -> str:
        """Which night that was."""
        return f"{self.at[:10]}{f' ({self.commit})' if self.commit else ''}"


def nightly(targets: Sequence[str], reports: Path = REPORTS) -> int:
    """Make all targets and tell what broke; the exit code."""
    started = datetime.now(UTC)
    outcomes: list[Outcome] = []
    for target in targets:
        outcome = _make(target, started)
        outcomes.append(outcome)
        reports.mkdir(parents=True, exist_ok=True)
        json_lines.append(reports / HISTORY, [json.dumps(asdict(outcome))])
        if outcome.exit_code == _INTERRUPTED:
            break
    broken = {place: list(broken_scenarios(place, started)) for place in (reports, reports / ON_KIND)}
    lines = list(told(outcomes, list(history(reports)), broken))
    (reports / SUMMARY).write_text("".join(line + "\n" for line in lines))
    for line in lines:
        say(line)
    if any(outcome.exit_code == _INTERRUPTED for outcome in outcomes):
        return _INTERRUPTED
    return 1 if any(outcome.is_bad for outcome in outcomes) else 0


def history(reports: Path) -> Iterator[Outcome]:
    """What became of all targets in all nights, oldest first."""
    for line in json_lines.read(reports / HISTORY):
        if isinstance(line, dict) and line.keys() == Outcome.__dataclass_fields__.keys():
            yield Outcome(**line)


def broken_scenarios(reports: Path, started: datetime) -> Iterator[str]:
    """A line for each scenario that is broken, and for each run that did not come to its end, since a time."""
    for path in sorted(reports.glob("*/summary.json")):
        if path.parent.name < started.strftime(_RUN_NAME):
            continue
        summary: dict[str, Any] = json.loads(path.read_text())
        if not summary["complete"]:
            yield f"run {summary['run']} did not come to its end: {summary['reason']}"
        for scenario in summary["scenarios"]:
            if since := scenario["broken_since"]:
                why = (scenario["message"].strip().splitlines() or ["no message"])[0]
                values = f" [{', '.join(scenario['values'])}]" if scenario["values"] else ""
                night = since["run"][:10] + (f" ({since['commit'][:12]})" if since["commit"] else "")
                yield f"{scenario['name']}{values} ({scenario['where']}), broken since {night}: {why}"


def told(outcomes: Sequence[Outcome], past: Sequence[Outcome], broken: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    """The summary: `past` are the outcomes of all nights, tonight's last; `broken` are lines, by their runs' folder."""
    bad = [outcome for outcome in outcomes if outcome.is_bad]
    minutes = sum(outcome.seconds for outcome in outcomes) / 60
    verdict = f"{len(bad)} of {len(outcomes)} targets broke" if bad else f"all {len(outcomes)} targets are good"
    yield f"nightly: {verdict} ({minutes:.0f} min)"
    for outcome in bad:
        yield f"  ✗ {outcome.target}: {_why(outcome)}, {_since(outcome.target, past)}"
    for reports, scenarios in broken.items():
        for line in scenarios[:_SHOWN]:
            yield f"    {line}"
        if len(scenarios) > _SHOWN:
            yield f"    … and {len(scenarios) - _SHOWN} more"
        if scenarios:
            yield f"  evidence: {reports}/index.html"


def _why(outcome: Outcome) -> str:
    if outcome.exit_code == _TIMED_OUT:
        return f"not over after {_BOUND / 3600:g} hours"
    return "interrupted" if outcome.exit_code == _INTERRUPTED else f"exit code {outcome.exit_code}"


def _since(target: str, past: Sequence[Outcome]) -> str:
    nights = [outcome for outcome in past if outcome.target == target and outcome.exit_code != _INTERRUPTED]
    good = next((outcome for outcome in reversed(nights) if not outcome.is_bad), None)
    broken = nights[nights.index(good) + 1 :] if good else nights
    if not broken:
        return "which says nothing of it"
    since = f"broken since {broken[0]}" + (f", {len(broken)} nights" if len(broken) > 1 else "")
    return since + (f"; last good {good}" if good else "; never good before")


def _make(target: str, started: datetime) -> Outcome:
    say(f"  … make {target}")
    begun = time.monotonic()
    # Ends with this process, which passes it on to what it runs.
    argv = ["setpriv", "--pdeathsig", "TERM", "--", "make", "--no-print-directory", target]
    process: subprocess.Popen[bytes] | None = None
    try:
        process = subprocess.Popen(argv, start_new_session=True)  # or what it runs could not be ended with it
        code = process.wait(timeout=_BOUND)
    except subprocess.TimeoutExpired:
        code = _TIMED_OUT
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if process and code in _ENDED_BY:
        _end(process, _ENDED_BY[code])
    outcome = Outcome(
        started.isoformat(timespec="seconds"), _commit(), target, code, round(time.monotonic() - begun, 1)
    )
    say(f"  {'✗' if outcome.is_bad else '✓'} make {target} ({outcome.seconds:.0f} s)")
    return outcome


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Tell a target, and all that it runs, to end; what has not tidied up within the bound is killed."""
    _tell(process, number)
    try:
        process.wait(timeout=_ENDING_BOUND)
    except subprocess.TimeoutExpired:
        pass  # it is killed with what it leaves
    _tell(process, signal.SIGKILL)
    process.wait()


def _tell(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass  # all of it is over


def _commit() -> str:
    try:
        return run(["git", "rev-parse", "--short=12", "HEAD"], timeout=30).stdout.strip()
    except CommandFailed:
        return ""


if __name__ == "__main__":
    sys.exit(nightly(sys.argv[1:]))
