"""What a person sees first when a pipeline is broken: the last lines in the terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.evidence.breakages import BREAKAGES
from tests.harness.running import REPOSITORY

_LINES = 25
_PLUGINS = ("-p", "no:pytest-kind", "-p", "fixtures.reporting")
_HEADER = re.compile(r"_{3,} test_(?P<name>\w+) _{3,}")
_CONFTEST = """
from pathlib import Path
from types import SimpleNamespace
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.room import Room
from fixtures import ownership
from tests.recorded import idle_cache

def pytest_addoption(parser):
    for option in ("--keep-cluster", "--reuse-cluster"):
        parser.addoption(option, action="store_true")

def pytest_configure(config):
    scratch = Path(__file__).parent
    Room.of(scratch / "room", lambda: 1)
    cluster = SimpleNamespace(
        kubeconfig="/run/kubeconfig", name="e2e-1", provider="node", scratch=scratch, check=lambda: None
    )
    names = ("CoreDNS", "cert-manager", "Argo CD", "registry", "Argo Rollouts", "Prometheus", "Git server", "Kargo")
    parts = [SimpleNamespace(name=name, version=lambda _: "v1.2.3") for name in names]
    config.stash[ownership._HARNESS] = SimpleNamespace(
        cluster=cluster,
        cache=idle_cache(),
        not_run=(),
        kube=None,
        redact=Redactor(),
        stack=SimpleNamespace(components=parts),
        kubernetes_version=lambda: "v1.34.4",
    )
"""
_STEPS = """
from pytest_bdd import parsers, scenarios, then
from tests.evidence.breakages import BREAKAGES

scenarios("broken.feature")

@then(parsers.parse("nothing is broken by: {what}"))
def _(what):
    BREAKAGES[what].fail()
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The terminal after a run in which everything is broken."""
    folder = tmp_path_factory.mktemp("broken")
    write_broken(folder, folder, BREAKAGES)
    return run(folder)


def write_broken(root: Path, features: Path, names: Iterable[str]) -> None:
    """Write a feature in which each of these breakages is a scenario."""
    features.mkdir(exist_ok=True)
    scenarios = "".join(f"  Example: {name}\n    Then nothing is broken by: {name}\n" for name in names)
    (features / "broken.feature").write_text(f"Feature: Broken\n{scenarios}")
    (features / "test_broken.py").write_text(_STEPS)
    (root / "conftest.py").write_text(_CONFTEST)


def run(folder: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_PLUGINS, "-c/dev/null", "--tb=short", *options, folder],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_last_lines_tell_what_to_do(shown: str, name: str) -> None:
    last = "\n".join(_alone(shown, name).splitlines()[-_LINES:])

    for words in BREAKAGES[name].tells:
        assert words in last, last
    assert "evidence: " in last
    assert "Traceback" not in last


def _alone(shown: str, name: str) -> str:
    """The terminal's end as it were if this alone was broken: its failure, and the summary of one."""
    parts = _HEADER.split(shown.partition("= short test summary info =")[0])
    failures = dict(zip(parts[1::2], parts[2::2], strict=True))
    slug = re.sub(r"\W+", "_", name.lower())
    summary = f"=== short test summary info ===\nFAILED test_broken.py::test_{slug}\n=== 1 failed in 1 s ===\n"
    return failures[slug].rstrip("=\n ") + "\n" + summary
