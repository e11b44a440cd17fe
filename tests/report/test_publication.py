"""What a run leaves: files that other programs read, and the story that goes from run to run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cucumber_compatibility_kit import CompatibilityKit
from cucumber_messages import Envelope, message_converter

from gitops_e2e.report import json_lines
from gitops_e2e.report.run_folder import RunFolder
from tests.harness.running import INTERRUPTIBLE, REPOSITORY
from tests.report import sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run of the sample."""
    folder = tmp_path_factory.mktemp("shop")
    sample.write(folder)
    done = sample.run(folder, "-m", "not never", f"--junitxml={folder}/own.xml")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    return RunFolder.last(folder / "reports").path


@pytest.fixture(scope="module")
def envelopes(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (report / "messages.ndjson").read_text().splitlines()]


def _of(envelopes: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [envelope[kind] for envelope in envelopes if kind in envelope]


# --- Cucumber messages


def test_every_message_is_one_of_the_official_classes(envelopes: list[dict[str, Any]]) -> None:
    for envelope in envelopes:
        assert message_converter.to_dict(message_converter.from_dict(envelope, Envelope)) == envelope
        assert len(envelope) == 1


def test_messages_come_in_the_order_of_the_compatibility_kit(envelopes: list[dict[str, Any]]) -> None:
    def first_of_each(stream: Sequence[dict[str, Any]]) -> list[str]:
        return list(dict.fromkeys(next(iter(envelope)) for envelope in stream))

    kit = CompatibilityKit().feature_code_for("data-tables") / "data-tables.ndjson"
    expected = first_of_each([json.loads(line) for line in kit.read_text().splitlines()])

    assert [kind for kind in first_of_each(envelopes) if kind in expected] == expected


def test_every_reference_leads_somewhere(envelopes: list[dict[str, Any]]) -> None:
    pickles = {pickle["id"]: {step["id"] for step in pickle["steps"]} for pickle in _of(envelopes, "pickle")}
    definitions = {definition["id"] for definition in _of(envelopes, "stepDefinition")}
    hooks = {hook["id"] for hook in _of(envelopes, "hook")}
    cases = {case["id"]: case for case in _of(envelopes, "testCase")}
    started = {each["id"]: each["testCaseId"] for each in _of(envelopes, "testCaseStarted")}
    for case in cases.values():
        own = {step["pickleStepId"] for step in case["testSteps"] if "pickleStepId" in step}
        assert own == pickles[case["pickleId"]]
        for step in case["testSteps"]:
            assert step.get("hookId", next(iter(hooks))) in hooks
            assert definitions.issuperset(step.get("stepDefinitionIds", []))
    for kind in ("testStepStarted", "testStepFinished"):
        counted = Counter((each["testCaseStartedId"], each["testStepId"]) for each in _of(envelopes, kind))
        assert set(counted.values()) == {1}
        assert set(counted) == {
            (attempt, step["id"]) for attempt, case in started.items() for step in cases[case]["testSteps"]
        }
    assert [each["testCaseStartedId"] for each in _of(envelopes, "testCaseFinished")] == list(started)


def test_steps_have_the_status_that_comes_nearest(envelopes: list[dict[str, Any]]) -> None:
    names = {pickle["id"]: pickle["name"] for pickle in _of(envelopes, "pickle")}
    cases = {case["id"]: names[case["pickleId"]] for case in _of(envelopes, "testCase")}
    started = {each["id"]: cases[each["testCaseId"]] for each in _of(envelopes, "testCaseStarted")}
    statuses: dict[str, list[str]] = {}
    for each in _of(envelopes, "testStepFinished"):
        statuses.setdefault(started[each["testCaseStartedId"]], []).append(each["testStepResult"]["status"])

    assert statuses["it can be visited"] == ["PASSED", "PASSED", "PASSED"]
    assert statuses["pear is sold for 1"] == ["PASSED", "PASSED", "PASSED", "FAILED"]
    assert statuses["the shop is haunted"] == ["PASSED", "UNDEFINED", "SKIPPED"]
    assert statuses["there is no delivery yet"] == ["PASSED", "SKIPPED", "SKIPPED"]
    assert statuses["prices are fair"] == ["PASSED", "SKIPPED"]
    assert statuses["with a permission"] == ["SKIPPED", "SKIPPED", "FAILED"]
    assert statuses["cleaning up fails"] == ["PASSED", "PASSED", "FAILED"]
    assert "nobody selects this" not in statuses
    assert [each["success"] for each in _of(envelopes, "testRunFinished")] == [False]


# --- the other files


def test_junit_counts_every_scenario(report: Path) -> None:
    suites = ET.parse(report / "junit.xml").getroot()  # noqa: S314 - it is our own
    (suite,) = suites
    found = {case.get("name"): {child.tag for child in case} for case in suite}

    assert dict(suite.items()) | {"time": "", "timestamp": ""} == {
        "name": "A shop sells fruit", "tests": "13", "failures": "4", "errors": "2", "skipped": "4",
        "time": "", "timestamp": "",
    }  # fmt: skip
    assert found["it can be visited"] == {"system-out"}
    assert found["pear is sold for 1 [pear, 1]"] == {"failure", "system-out"}
    assert found["cleaning up fails"] == {"error", "system-out"}
    assert found["nobody selects this"] == {"skipped", "system-out"}


def test_the_record_does_not_reach_files_of_others(folder: Path) -> None:
    assert "gitops_e2e_record" not in (folder / "own.xml").read_text()


def test_the_summary_names_what_is_broken(report: Path) -> None:
    summary = json.loads((report / "summary.json").read_text())
    broken = {each["id"]: each for each in summary["scenarios"] if each["broken_since"]}

    assert summary["counts"] == {
        "passed": 2, "failed": 3, "undefined": 1, "skipped": 2, "xfailed": 1, "xpassed": 1, "error": 2, "not run": 1,
    }  # fmt: skip
    assert set(broken) == {
        "features/shop/fruit-is-sold-for-price/pear-1",
        "features/shop/fruit-is-sold-for-price/lychee-9",
        "features/shop/the-shop-is-haunted",
        "features/shop/the-till-is-broken",
        "features/shop/with-a-permission",
        "features/shop/cleaning-up-fails",
    }
    pear = broken["features/shop/fruit-is-sold-for-price/pear-1"]
    assert pear["broken_since"]["run"] == summary["run"]
    assert "pear costs 2" in pear["message"]


def test_every_scenario_that_was_run_is_in_the_history(folder: Path, report: Path) -> None:
    told = list(json_lines.read(folder / "reports/history.jsonl"))

    assert len(told) == 12
    assert {line["run"] for line in told} == {report.name}


def test_the_pages_are_made_anew_from_the_record(folder: Path, report: Path) -> None:
    page = report / "index.html"
    before = page.read_text()
    page.unlink()
    subprocess.run(
        [sys.executable, "-m", "gitops_e2e.report", folder / "reports"], check=True, cwd=REPOSITORY, timeout=60
    )

    assert page.read_text() == before


# --- runs that do not go their way


_GREETED = '@then("the customer is greeted")\ndef _(): pass'
_SLOW = sample.STEPS.replace(
    _GREETED,
    """@then("the customer is greeted")
def _():
    import os, pathlib, time
    pathlib.Path(os.environ["SHOP_WAITS"]).touch()
    time.sleep(60)
""",
)


@pytest.mark.parametrize("options", [(), ("-n1",)], ids=["alone", "xdist"])
def test_an_interrupted_run_leaves_a_report_of_what_there_is(tmp_path: Path, options: Sequence[str]) -> None:
    sample.write(tmp_path, steps=_SLOW)
    with _waiting(tmp_path, *options, "-k", "visited") as process:
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[0]

    (visited,) = sample.recorded(tmp_path).scenarios
    assert visited.status == "interrupted", said
    assert "interrupted" in (RunFolder.last(tmp_path / "reports").path / "index.html").read_text()


@contextmanager
def _waiting(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run of the sample that has come to the step which waits."""
    sign = folder / "waits"
    process = subprocess.Popen(
        [*INTERRUPTIBLE, *sample.command(folder, *options)],
        cwd=REPOSITORY,
        env={**os.environ, "SHOP_WAITS": str(sign)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not sign.exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "it never came to the step that waits"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_killed_run_leaves_what_was_recorded(tmp_path: Path) -> None:
    sample.write(tmp_path, steps=_SLOW)
    with _waiting(tmp_path, "-k", "apple or visited") as process:
        os.killpg(process.pid, signal.SIGKILL)

    assert sample.recorded(tmp_path).end is None
    subprocess.run(
        [sys.executable, "-m", "gitops_e2e.report", tmp_path / "reports"], check=True, cwd=REPOSITORY, timeout=60
    )
    assert "The run was killed" in (RunFolder.last(tmp_path / "reports").path / "index.html").read_text()


def test_attempts_are_told_apart(tmp_path: Path) -> None:
    steps = sample.STEPS.replace(
        '@then("the customer is greeted")\ndef _(): pass',
        '@then("the customer is greeted")\n'
        'def _(tries=[]):\n    tries.append(1)\n    assert len(tries) > 1, "nobody came"',
    )
    sample.write(tmp_path, steps=steps)
    done = sample.run(tmp_path, "-k", "visited", "--reruns", "2")
    assert done.returncode == 0, done.stdout + done.stderr

    first, second = sample.recorded(tmp_path).scenarios
    assert [(each.attempt, each.status) for each in (first, second)] == [(0, "failed"), (1, "passed")]
    messages = (RunFolder.last(tmp_path / "reports").path / "messages.ndjson").read_text().splitlines()
    finished = [json.loads(line)["testCaseFinished"] for line in messages if "testCaseFinished" in line]
    assert [each["willBeRetried"] for each in finished] == [True, False]


def test_a_worker_that_dies_leaves_its_scenario_failed(tmp_path: Path) -> None:
    steps = sample.STEPS.replace(
        '@then("the customer is greeted")\ndef _(): pass',
        '@then("the customer is greeted")\ndef _():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)',
    )
    sample.write(tmp_path, steps=steps)
    sample.run(tmp_path, "-n1", "-k", "visited")

    (visited,) = sample.recorded(tmp_path).scenarios
    assert visited.status == "failed"
    assert "crashed" in visited.message


def test_a_secret_of_the_environment_reaches_no_file(tmp_path: Path) -> None:
    steps = sample.STEPS.replace("a customer was here", "the key is correct-horse-battery")
    sample.write(tmp_path, steps=steps)
    sample.run(tmp_path, "-k", "visited", env={"SHOP_PASSWORD": "correct-horse-battery"})

    left = [file for file in (tmp_path / "reports").rglob("*") if file.is_file()]
    assert len(left) > 5
    assert [file for file in left if b"correct-horse-battery" in file.read_bytes()] == []


# --- trouble with the report is not the run's


_ON_A_CLUSTER = """
from fixtures import ownership
from gitops_e2e.kube.errors import Unreachable
from tests.evidence import planting

class Kube:
    asked = 0

    def list(self, resource):
        self.asked += 1
        if self.asked <= {times}:
            raise Unreachable("cannot list nodes", OSError("connection refused"))
        return []

def pytest_addoption(parser):
    for option in ("--keep-cluster", "--reuse-cluster"):
        parser.addoption(option, action="store_true")

def pytest_configure(config):
    scratch = config.rootpath / "scratch"
    scratch.mkdir()
    harness = planting.harness(scratch)
    harness.kube = Kube()
    harness.not_run = ()
    vars(harness.cluster).update(scratch=scratch, labels={{}})
    config.stash[ownership._HARNESS] = harness
"""


@pytest.mark.parametrize(("times", "is_told_of_cluster"), [(1, True), (1000, False)], ids=["once", "always"])
def test_a_cluster_that_does_not_answer_ends_no_run(tmp_path: Path, times: int, is_told_of_cluster: bool) -> None:
    sample.write(tmp_path, conftest=_ON_A_CLUSTER.format(times=times))
    done = sample.run(tmp_path, "-p", "no:pytest-kind", "-k", "visited")

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("! the report will lack something: cannot list nodes: no answer") == 1
    assert "report: " in said
    assert ("pace: " in said) == is_told_of_cluster
    (visited,) = sample.recorded(tmp_path).scenarios
    assert visited.status == "passed"
    timeline = RunFolder.last(tmp_path / "reports").path / "timeline.jsonl"
    assert timeline.exists() == is_told_of_cluster


def test_a_folder_that_cannot_be_removed_keeps_nothing_from_its_end(tmp_path: Path) -> None:
    conftest = """
def pytest_sessionfinish(session):
    for folder in (session.config.rootpath / "reports").iterdir():
        folder.rename(folder.with_name("away"))

def pytest_unconfigure():
    print("the cluster is ended")
"""
    sample.write(tmp_path, conftest=conftest)
    done = sample.run(tmp_path, "-k", "nothing_of_that_name")

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stderr
    assert "cannot be removed" in done.stderr
    assert "the cluster is ended" in done.stdout
