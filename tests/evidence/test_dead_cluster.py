"""A scenario that fails as the cluster dies: what was seen of it is kept, and its death is what is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.running import REPOSITORY

_FEATURE = "Feature: Shop\n  Example: it breaks\n    Given a shop\n\n  Example: it is open\n    Given a shop\n"
_CONFTEST = """
from pathlib import Path
from types import SimpleNamespace
from fixtures import ownership
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube.errors import Unreachable
from tests.evidence import planting

class Dead(SimpleNamespace):
    @property
    def repositories(self):
        raise Unreachable("cannot get the account", OSError("connection refused"))

class Cluster(SimpleNamespace):
    def check(self):
        raise HarnessError("the cluster has died with its Docker engine")

def pytest_addoption(parser):
    for option in ("--keep-cluster", "--reuse-cluster"):
        parser.addoption(option, action="store_true")

def pytest_configure(config):
    scratch = config.rootpath / "scratch"
    scratch.mkdir()
    parts = vars(planting.harness(scratch))
    del parts["repositories"]
    cluster = Cluster(name="none", provider="kind", kubeconfig=scratch / "config")
    config.stash[ownership._HARNESS] = Dead(**{**parts, "cluster": cluster})
"""
_STEPS = """
from pytest_bdd import given, scenarios
from gitops_e2e.errors import HarnessError
from tests.evidence import planting

scenarios("shop.feature")

@given("a shop")
def _(playing):
    playing.pipelines.append(planting.PIPELINE)
    raise HarnessError("no answer from the API server")
"""
_PLUGINS = ("no:pytest-kind", "fixtures.run_folder", "fixtures.reporting", "fixtures.recording", "fixtures.evidence")


def test_its_death_is_told_and_what_was_seen_of_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "shop.feature").write_text(_FEATURE)
    (tmp_path / "test_shop.py").write_text(_STEPS)
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    plugins = [f"-p{plugin}" for plugin in _PLUGINS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-c/dev/null", f"--rootdir={tmp_path}", "--tb=short", tmp_path],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "! the cluster has died !" in done.stdout
    (timeline,) = tmp_path.rglob("it-breaks/timeline.jsonl")
    assert '"kind": "Pod"' in timeline.read_text()
    told = timeline.with_name("not-collected.txt").read_text()
    assert "manifests in Git: Unreachable: cannot get the account: no answer from the API server" in told
