"""One cluster that is kept, and what fails on it: a worker, a manifest, an image. Each fails alone."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.kube import Kube, Resource
from tests.clusters.kit import state_of, traces
from tests.harness.running import REPOSITORY, Run, run, running

pytestmark = pytest.mark.node

_NAME = f"kept-{os.getpid()}"
_REUSE = ("--reuse-cluster", _NAME)
_STACK = re.compile(r"\.py:\d")
_NAMESPACES = Resource("v1", "Namespace", "namespaces", namespaced=False)
_MISSING_RELEASE = """
Feature: A release that nobody built
  Example: its image is missing
    Given a pipeline whose dev serves release 0.9.0
    When release 9.9.9 is committed to dev
    Then one canary pod of three runs 9.9.9 at weight 20
"""


@pytest.fixture(scope="module")
def first() -> Iterator[tuple[Run, ProcessIdentity | None]]:
    """The run that makes the cluster, with two workers, one of which is killed; and who owned the cluster then."""
    options = ("-n", "2", "-v", "-k", "component", "--cluster-name", _NAME, "--keep-cluster")
    try:
        with running(*options) as one:
            one.until("NodePorts at")
            owner = state_of(_NAME).owner
            one.until("PASSED")
            os.kill(_a_worker(one.process.pid), signal.SIGKILL)
            one.end()
        yield one, owner
    finally:
        state = state_of(_NAME)
        Node.attach(_NAME).delete()
        assert traces(state) == []


def _a_worker(controller: int) -> int:
    """A Python process that the controller started in its own process group: the node's supervisor is in none."""
    children = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
    return next(int(pid) for pid in children if os.getpgid(int(pid)) == controller)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a user's clone has: the same, where a test does not put something else in its place."""
    for entry in REPOSITORY.iterdir():
        if not entry.name.startswith(".") and entry.name != "tests":
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def _own(clone: Path, folder: str) -> Path:
    """A folder of the clone that may be changed."""
    (clone / folder).unlink()
    return Path(shutil.copytree(REPOSITORY / folder, clone / folder))


def _pipelines() -> list[str]:
    kube = Kube(Node.attach(_NAME).kubeconfig)
    names = [namespace["metadata"]["name"] for namespace in kube.list(_NAMESPACES)]
    return [name for name in names if name.endswith(("-dev", "-staging", "-prod"))]


def test_a_killed_worker_changes_nothing(first: tuple[Run, ProcessIdentity | None]) -> None:
    one, owner = first

    assert owner is not None
    assert owner.pid == one.process.pid, "the controlling process owns the cluster, and no worker"
    assert one.text.count("… starting cluster") == 1
    passed = set(re.findall(r"\[gw\d\] \[ *\d+%\] PASSED (.+)", one.text))
    all_of_them = re.search(r"workers \[(\d+) items\]", one.text)
    assert all_of_them
    assert len(passed) >= int(all_of_them[1]) - 1, "all but the one that the killed worker may have been at"


def test_a_kept_cluster_is_told_how_to_use_and_to_end(first: tuple[Run, ProcessIdentity | None]) -> None:
    one, _ = first

    assert f"cluster {_NAME} is kept: export KUBECONFIG={state_of(_NAME).layout.kubeconfig}" in one.text
    assert f"--reuse-cluster {_NAME}" in one.text
    assert re.search(r"a kubectl of its version: /.*/stack-\w+/kubectl\n", one.text)
    assert "`.venv/bin/python -m gitops_e2e.clean` ends all kept ones" in one.text
    code, text = run("-k", "Kubernetes", *_REUSE)
    assert code == 0, text
    assert state_of(_NAME).running


@pytest.mark.usefixtures("first")
def test_a_manifest_that_does_not_parse(clone: Path) -> None:
    (_own(clone, "manifests") / "base/service.yaml").write_text("kind: Service\n  metadata: {}\n")

    code, text = run("-k", "three_stages", *_REUSE, folder=clone)

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "this manifest does not parse: mapping values are not allowed" in text
    assert f"where: {clone}/manifests/base/service.yaml:2\n  to do: mend it" in text
    assert not _STACK.search(text)
    assert _pipelines() == []


@pytest.mark.usefixtures("first")
def test_an_image_that_is_missing(clone: Path) -> None:
    features = _own(clone, "features")
    (features / "missing.feature").write_text(_MISSING_RELEASE)

    code, text = run("-k", "image_is_missing", *_REUSE, folder=clone)

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "Then one canary pod of three runs 9.9.9 at weight 20" in text
    assert "that cannot become so any more" in text
    assert re.search(r"container product-api: (ErrImagePull|ImagePullBackOff)[\s\S]*product-api:9\.9\.9", text)
    assert not _STACK.search(text)
    assert _pipelines() == []
