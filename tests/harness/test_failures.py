"""What a scenario says that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness.running import REPOSITORY

_FEATURE = """Feature: Failing
  Example: it fails
    Given all is well
    Then the impossible is so
"""
_STEPS = """from pytest_bdd import given, scenarios, then

scenarios("failing.feature")

@given("all is well")
def _():
    pass

@then("the impossible is so")
def _():
    assert 1 == 2
"""


def test_a_failure_names_the_sentence_that_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "failing.feature").write_text(_FEATURE)
    (tmp_path / "test_failing.py").write_text(_STEPS)
    options = ["-c", str(REPOSITORY / "pytest.ini"), "-p", "conftest", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", str(tmp_path), *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "1 failed" in finished.stdout, finished.stdout + finished.stderr
    assert "line 4: Then the impossible is so" in finished.stdout
