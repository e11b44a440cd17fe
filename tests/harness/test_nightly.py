"""What a night tells in the end: what broke, since when, and that it says so by its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gitops_e2e import nightly
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.nightly import HISTORY, REPORTS, SUMMARY, Outcome, broken_scenarios, told
from tests.harness.running import INTERRUPTIBLE, REPOSITORY

WORKFLOW = REPOSITORY / ".github/workflows/nightly.yml"
MAKEFILE = """\
good:
\ttrue

bad:
\texit 3

slow:
\t@sleep 60 & echo $$! > child; echo sleep 60; wait

deaf:
\t@trap "" TERM; sleep 60 & echo $$! > child; echo sleep 60; wait
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def night(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gitops_e2e.nightly", *targets],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def outcome(day: int, target: str, code: int) -> Outcome:
    return Outcome(f"2026-11-{day:02}T01:00:00+00:00", f"c{day:02}", target, code, 60)


def summary(reports: Path, run: str, **fields: object) -> None:
    (reports / run).mkdir(parents=True)
    told_by_run = {"run": run, "complete": True, "reason": "", "scenarios": [], **fields}
    (reports / run / "summary.json").write_text(json.dumps(told_by_run))


def scenario(name: str, **fields: object) -> dict[str, object]:
    common: dict[str, object] = {
        "name": name,
        "values": [],
        "where": "features/a.feature:3",
        "message": "",
        "broken_since": None,
    }
    return {**common, **fields}


def test_a_good_night(folder: Path) -> None:
    finished = night(folder, "good")
    assert finished.returncode == 0, finished.stderr
    assert (folder / "reports" / SUMMARY).read_text() == "nightly: all 1 targets are good (0 min)\n"


def test_a_target_that_breaks_keeps_no_other_from_being_made(folder: Path) -> None:
    finished = night(folder, "bad", "good")
    assert finished.returncode == 1
    first, second = (folder / "reports" / SUMMARY).read_text().splitlines()
    assert first == "nightly: 1 of 2 targets broke (0 min)"
    assert second.startswith("  ✗ bad: exit code 2, broken since 20")
    assert second.endswith("; never good before")
    assert "✓ make good" in finished.stderr
    kept = [json.loads(line) for line in (folder / "reports" / HISTORY).read_text().splitlines()]
    assert [(line["target"], line["exit_code"]) for line in kept] == [("bad", 2), ("good", 0)]


def test_since_when_a_target_is_broken() -> None:
    past = [outcome(1, "unit", 1), outcome(2, "unit", 0), outcome(3, "unit", 1), outcome(4, "unit", 2)]
    lines = list(told([past[-1]], past, {}))
    assert lines[1] == "  ✗ unit: exit code 2, broken since 2026-11-03 (c03), 2 nights; last good 2026-11-02 (c02)"


def test_a_night_that_was_interrupted_says_nothing_of_its_target() -> None:
    past = [outcome(1, "unit", 0), outcome(2, "unit", 130)]
    assert list(told([past[-1]], past, {}))[1] == "  ✗ unit: interrupted, which says nothing of it"


def test_scenarios_are_told_with_their_first_failure(tmp_path: Path) -> None:
    broken = scenario(
        "the canary rolls back",
        values=["256"],
        message="the analysis fails\nwanted: Failed",
        broken_since={"run": "2026-11-20T01-00-00Z", "commit": "0123456789abcdef"},
    )
    summary(tmp_path, "2026-11-25T02-00-00Z", scenarios=[scenario("good"), broken])
    summary(tmp_path, "2026-11-24T02-00-00Z", scenarios=[broken])
    (line,) = broken_scenarios(tmp_path, datetime(2026, 11, 25, 1, tzinfo=UTC))
    assert line == (
        "the canary rolls back [256] (features/a.feature:3), broken since 2026-11-20 (0123456789ab): the analysis fails"
    )


def test_a_run_that_did_not_come_to_its_end_is_told(tmp_path: Path) -> None:
    summary(tmp_path, "2026-11-25T02-00-00Z", complete=False, reason="the run was killed")
    (line,) = broken_scenarios(tmp_path, datetime(2026, 11, 25, 1, tzinfo=UTC))
    assert line == "run 2026-11-25T02-00-00Z did not come to its end: the run was killed"


def test_of_many_scenarios_some_are_told() -> None:
    bad = outcome(1, "features", 1)
    lines = list(told([bad], [bad], {REPORTS: [f"scenario {number}" for number in range(30)]}))
    assert len(lines) == 14
    assert lines[-2:] == ["    … and 20 more", "  evidence: reports/index.html"]


def test_runs_on_kind_are_told_apart_and_those_of_mutants_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    since = {"run": "2999-11-20T01-00-00Z", "commit": ""}
    for folder in (".", "kind", "mutants"):
        summary(REPORTS / folder, "2999-11-25T02-00-00Z", scenarios=[scenario(f"in {folder}", broken_since=since)])
    nightly.nightly(["good"])
    assert (REPORTS / SUMMARY).read_text().splitlines()[1:] == [
        "    in . (features/a.feature:3), broken since 2999-11-20: no message",
        "  evidence: reports/index.html",
        "    in kind (features/a.feature:3), broken since 2999-11-20: no message",
        "  evidence: reports/kind/index.html",
    ]


def test_scenarios_on_kind_have_a_history_of_their_own() -> None:
    printed = subprocess.run(
        ["make", "--dry-run", "test-kind", "test-kind-smoke", "features"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    runs = [line for line in printed.splitlines() if "features/" in line]
    assert ["--reports reports/kind " in line for line in runs] == [True, True, False]


def test_an_interrupted_night_ends_its_target_and_says_so(folder: Path) -> None:
    argv = [*INTERRUPTIBLE, sys.executable, "-m", "gitops_e2e.nightly", "slow", "good"]
    with subprocess.Popen(
        argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        while "sleep 60" not in process.stdout.readline():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        said = process.stdout.read()
        assert process.wait(timeout=30) == 130
    assert "✗ slow: interrupted" in said
    assert "make good" not in said
    assert has_ended(folder / "child")


@pytest.mark.parametrize("target", ["slow", "deaf"])
def test_a_target_that_takes_too_long_is_ended_with_all_that_it_began(
    folder: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(nightly, "_BOUND", 2)
    monkeypatch.setattr(nightly, "_ENDING_BOUND", 1)
    assert nightly.nightly([target], folder / "reports") == 1
    assert f"✗ {target}: not over after " in (folder / "reports" / SUMMARY).read_text()
    assert has_ended(folder / "child")


def has_ended(pid: Path) -> bool:
    """Whether the process that a file names is over, or is so in a moment."""
    try:
        return ProcessIdentity.of(int(pid.read_text())).wait(5)
    except ProcessLookupError:
        return True


def test_the_workflow_is_one() -> None:
    argv = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    checked = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_workflow_that_is_none_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "nightly.yml"
    wrong.write_text(WORKFLOW.read_text().replace("runs-on:", "run-on:", 1))
    argv = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(wrong)]
    checked = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 1, checked.stdout + checked.stderr


def test_the_jobs_of_the_workflow_make_all_that_is_for_the_night() -> None:
    steps = [step for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values() for step in job["steps"]]
    made = [re.fullmatch(r'make nightly NIGHTLY="(.*)"', step["run"]) for step in steps if "run" in step]
    makefile = (REPOSITORY / "Makefile").read_text()
    wanted = re.search(r"^NIGHTLY := (.*)$", makefile, re.MULTILINE)
    assert wanted
    assert sorted(" ".join(each[1] for each in made if each).split()) == sorted(wanted[1].split())
    for target in wanted[1].split():
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
