"""Options that nobody knows: in pytest.ini, and in the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_e2e.environment import KNOWN, UnknownVariable, refuse_unknown
from gitops_e2e.lint import options
from gitops_e2e.lint.finding import Finding
from tests.lint.conftest import ROOT, Copy

INI = "pytest.ini"
SERVICE = "manifests/base/service.yaml"


def test_an_option_that_pytest_does_not_know(copy: Copy) -> None:
    copy.plant(INI, "testpaths = tests\n", "testpaths = tests\ntestpath = tests\n")
    assert list(options.check(copy.root)) == [
        Finding(
            INI,
            copy.line(INI, "testpath ="),
            "pytest knows no option testpath",
            "mend its name: `pytest --help` lists them all",
        )
    ]


def test_a_budget_that_there_is_not(copy: Copy) -> None:
    copy.plant(INI, "addopts = ", "addopts = --budget=node_redy=9 ")
    (finding,) = options.check(copy.root)
    assert (finding.file, finding.line) == (INI, copy.line(INI, "addopts"))
    assert "there is no budget 'node_redy'" in finding.what


def test_the_features_of_the_checkout_are_collected(copy: Copy) -> None:
    assert list(options.check(copy.root)) == []


def test_a_variable_that_nothing_reads_is_refused() -> None:
    with pytest.raises(UnknownVariable, match=r"no setting GITOPS_E2E_KILS\n.*\n.*use GITOPS_E2E_KILLS, or unset it"):
        refuse_unknown(["PATH", "GITOPS_E2E_KILS", "GITOPS_E2E_SEED"])


def test_known_variables_are_those_that_are_read() -> None:
    folders = ("gitops_e2e", "steps", "fixtures", "tests", "benchmarks")
    below = (path for folder in folders for path in (ROOT / folder).rglob("*.py") if path != Path(__file__))
    paths = [ROOT / "conftest.py", *below]
    read = {
        name
        for path in paths
        if path.name != "environment.py"
        for name in re.findall(r"environ[^\n]*\"(GITOPS_E2E_\w+)\"", path.read_text())
    }
    assert read == set(KNOWN)


@pytest.mark.parametrize("command", [["gitops_e2e.lint"], ["pytest", "--collect-only", "-q", "features"]])
def test_a_run_with_a_variable_that_nothing_reads_does_not_begin(command: list[str]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "GITOPS_E2E_KILS": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode not in {0, 1}
    assert "there is no setting GITOPS_E2E_KILS" in finished.stderr
    assert "use GITOPS_E2E_KILLS, or unset it" in finished.stderr


def test_a_folder_without_anything_to_lint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    finished = subprocess.run(
        [sys.executable, "-m", "gitops_e2e.lint"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "there is no folder steps or manifests or kargo here" in finished.stderr
    assert "to do: run it in the project's root" in finished.stderr


def test_findings_are_lines_and_an_exit_code(copy: Copy) -> None:
    copy.plant(SERVICE, "targetPort: http", "targetPort: web")
    (copy.root / INI).unlink()
    finished = subprocess.run(
        [sys.executable, "-m", "gitops_e2e.lint"],
        cwd=copy.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (
        1,
        f"{SERVICE}:14: Service kargo-demo-stable leads to port web, which no container has; use http\n",
    )
    assert "1 to mend" in finished.stderr
