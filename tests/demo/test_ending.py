"""What `down` ends on a cluster that is somebody else's, without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.state import states
from gitops_e2e.clusters.kind.cluster import Kind
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.demo import demo
from gitops_e2e.demo.demo import Demo
from gitops_e2e.kube import Kube

_CONTEXT = Context("one", Path("kubeconfig"), "one", {"server": "https://10.20.30.40:6443"}, "one", {"token": "hush"})


@pytest.fixture
def uninstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters that something was uninstalled from; this machine's own nodes and clusters are left alone."""
    hosts: list[str] = []
    monkeypatch.setattr(Cache, "of_user", lambda: Cache(tmp_path))
    monkeypatch.setattr(demo, "uninstall", lambda kube: hosts.append(kube.host))
    for provider in (Node, Kind):
        monkeypatch.setattr(provider, "sweep", list)
    return hosts


def _killed_run(name: str) -> Existing:
    """A cluster that a command was at when it was killed."""
    cluster = Existing.take(name, _CONTEXT)
    state = states().find(name)
    assert state
    assert state.owner
    states().save(replace(state, owner=replace(state.owner, boot="an earlier one")))
    return cluster


def test_what_a_killed_command_installed_is_removed_and_its_record_forgotten(uninstalled: list[str]) -> None:
    cluster = _killed_run("demo")
    host = Kube(cluster.kubeconfig).host

    assert Demo.end("demo")

    assert uninstalled == [host]
    assert states().find("demo") is None
    assert not Demo.end("demo")


def test_a_command_that_was_killed_before_it_knew_the_cluster_left_nothing(uninstalled: list[str]) -> None:
    _killed_run("demo").kubeconfig.unlink()

    assert not Demo.end("demo")

    assert uninstalled == []
