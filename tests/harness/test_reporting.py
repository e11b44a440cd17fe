"""What is shown of a scenario that fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.running import REPOSITORY

_STACK = re.compile(r"test_shop\.py:\d")
_FEATURE = """
Feature: Shop
  Example: it is open
    Given a shop
    Then it is open
    And it stays open
"""
_STEPS = """
from pytest_bdd import given, scenarios, then
from gitops_e2e.errors import HarnessError

scenarios("shop.feature")

@given("a shop")
def _(): pass

@then("it is open")
def _(): {failure}

@then("it stays open")
def _(): pass
"""


_PLUGINS = ("-p", "no:pytest-kind", "-p", "fixtures.reporting")


def _report(folder: Path, failure: str, *options: str) -> str:
    (folder / "shop.feature").write_text(_FEATURE)
    (folder / "test_shop.py").write_text(_STEPS.format(failure=failure))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_PLUGINS, "-c/dev/null", "--tb=short", *options, folder],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "1"]])
def test_an_error_that_explains_itself_is_shown_with_its_step_alone(tmp_path: Path, options: list[str]) -> None:
    shown = _report(tmp_path, 'raise HarnessError("it is closed", where="high street", remedy="wait")', *options)

    message = f"Then it is open\n  {tmp_path}/shop.feature:5\nit is closed\n  where: high street\n  to do: wait\n"
    assert message in shown
    assert not _STACK.search(shown)
    assert "it stays open" not in shown


def test_an_error_beside_the_steps_is_shown_without_one(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from gitops_e2e.errors import HarnessError\n"
        "def pytest_bdd_before_scenario():\n    raise HarnessError('there is no shop')\n"
    )
    assert "\nthere is no shop\n" in _report(tmp_path, "pass")


def test_the_words_of_an_assertion_are_shown_without_what_was_compared(tmp_path: Path) -> None:
    shown = _report(tmp_path, 'assert [1] == [2], "it is closed"')

    assert f"Then it is open\n  {tmp_path}/shop.feature:5\nit is closed\n" in shown
    assert not _STACK.search(shown)
    assert "[2]" not in shown


@pytest.mark.parametrize("failure", ["assert False", "assert [1] == [2]", "raise KeyError('closed')"])
def test_any_other_error_is_shown_with_its_stack(tmp_path: Path, failure: str) -> None:
    assert _STACK.search(_report(tmp_path, failure))


def test_the_stack_is_shown_on_request(tmp_path: Path) -> None:
    shown = _report(tmp_path, 'raise HarnessError("it is closed")', "--tb=long")

    assert _STACK.search(shown)


_DEAD_CLUSTER = """
from types import SimpleNamespace
from fixtures import ownership
from gitops_e2e.errors import HarnessError
from gitops_e2e.evidence.redaction import Redactor

class Cluster:
    kubeconfig = "/run/kubeconfig"

    def check(self):
        raise HarnessError("the cluster has died with its Docker engine", remedy="start Docker")

def pytest_addoption(parser):
    for option in ("--keep-cluster", "--reuse-cluster"):
        parser.addoption(option, action="store_true")

def pytest_configure(config):
    config.stash[ownership._HARNESS] = SimpleNamespace(cluster=Cluster(), redact=Redactor())
"""
_SECOND = """
  Example: it is open again
    Given a shop
    Then it is open
"""


def test_the_death_of_the_cluster_is_what_is_said_and_nothing_more_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conftest.py").write_text(_DEAD_CLUSTER)
    monkeypatch.setattr("tests.harness.test_reporting._FEATURE", _FEATURE + _SECOND)

    shown = _report(tmp_path, 'raise HarnessError("no answer from the API server")')

    message = "the cluster has died with its Docker engine\n  to do: start Docker\n"
    assert f"Then it is open\n  {tmp_path}/shop.feature:5\n{message}" in shown
    assert "no answer from the API server" not in shown
    assert "! the cluster has died !" in shown
    assert "1 failed" in shown
    assert "2 failed" not in shown
