"""A run that fails, on a cluster full of secrets: every byte that it leaves is searched for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.planting import ALL, OF_ENVIRONMENT, everything
from tests.evidence.searching import found_in
from tests.harness.running import REPOSITORY

_FEATURE = "Feature: Shop\n  Example: it breaks\n    Given a shop\n    Then nothing is broken\n"
_CONFTEST = """
import tempfile
from pathlib import Path
import pytest
from fixtures import ownership
from tests.evidence import planting

def pytest_addoption(parser):
    for option in ("--keep-cluster", "--reuse-cluster"):
        parser.addoption(option, action="store_true")

def pytest_configure(config):
    config.stash[ownership._HARNESS] = planting.harness(Path(tempfile.mkdtemp()))

@pytest.fixture
def harness(pytestconfig):
    return ownership.harness(pytestconfig)
"""
_STEPS = """
from pytest_bdd import given, scenarios, then
from tests.evidence import planting

scenarios("shop.feature")

@given("a shop")
def _(playing):
    playing.pipelines.append(planting.PIPELINE)

@then("nothing is broken")
def _(harness):
    planting.fail(harness.cache)
"""
_PLUGINS = ("no:pytest-kind", "fixtures.run_folder", "fixtures.reporting", "fixtures.recording", "fixtures.evidence")


@pytest.mark.parametrize("options", [[], ["-n", "1"], ["--tb=long", "--showlocals"]], ids=["alone", "worker", "stacks"])
def test_nothing_secret_is_left(tmp_path: Path, options: list[str]) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "shop.feature").write_text(_FEATURE)
    (folder / "test_shop.py").write_text(_STEPS)
    (folder / "conftest.py").write_text(_CONFTEST)
    plugins = [word for plugin in _PLUGINS for word in ("-p", plugin)]
    where = ["-c/dev/null", f"--rootdir={folder}", f"--junitxml={folder}/reports/junit.xml", "-o", "junit_logging=all"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *where, *(options or ["--tb=short"]), folder],
        cwd=REPOSITORY,
        env={**os.environ, "SHOP_TOKEN": OF_ENVIRONMENT, "TMPDIR": str(tmp_path)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout.decode() + done.stderr.decode()

    left = {"the terminal": done.stdout + done.stderr}
    left |= {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if _is_left(file)}
    assert {name: found for name, content in left.items() if (found := found_in(content, ALL))} == {}

    _assert_all_was_collected(left)


def _is_left(file: Path) -> bool:
    return file.is_file() and "reports" in file.parts


def _assert_all_was_collected(left: dict[str, bytes]) -> None:
    """What had secrets in it is there, so that nothing was found for want of looking."""
    ends = {name.partition("it-breaks/")[2] for name in left} - {""}
    assert {
        "commands.txt",
        "timeline.jsonl",
        "events.txt",
        "objects/pods.yaml",
        "objects/services.yaml",
        "logs/shop-dev/api/api.log",
        "logs/shop-dev/api/api.previous.log",
        "controllers/argocd/controller/api.log",
        "manifests/applied.diff",
        "manifests/shop/main.diff",
        "git/shop/main.log",
        "metrics/shop-dev-memory-by-pod.json",
        "not-collected.txt",
    } <= ends
    for name, content in left.items():
        if name.endswith(("api.log", "applied.diff", "pods.yaml", "junit.xml", "the terminal")):
            assert b"[redacted" in content, name


def test_the_search_finds_what_is_planted() -> None:
    assert found_in(everything().encode(), ALL) == list(ALL)
