"""What is written down of nodes, and which processes are meant."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.clusters.node.errors import NodeNotFound
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.network import Subnet
from gitops_e2e.clusters.node.state import NodeState, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def state() -> NodeState:
    return NodeState("one", Subnet(7), Path("/data/one"), owner=ProcessIdentity.of(os.getpid()))


def test_a_state_is_found_as_it_was_saved(registry: Registry, state: NodeState) -> None:
    state = replace(state, supervisor=ProcessIdentity(41, 1, "boot"), init=ProcessIdentity(42, 2, "boot"))
    registry.save(state)

    assert registry.find("one") == registry.get("one") == state
    assert list(registry.all()) == [state]


def test_a_state_tells_people_the_address_and_the_kubeconfig(state: NodeState) -> None:
    assert '"address": "10.231.0.30"' in state.to_json()
    assert '"kubeconfig": "/data/one/kubeconfig"' in state.to_json()


def test_an_unknown_node_is_not_found(registry: Registry) -> None:
    assert registry.find("one") is None
    assert list(registry.all()) == []
    with pytest.raises(NodeNotFound):
        registry.get("one")


def test_a_write_that_was_cut_short_is_no_state(registry: Registry, state: NodeState) -> None:
    registry.save(state)
    (registry.folder / "nodes" / "two.partial").write_text('{"name": "tw')

    assert list(registry.all()) == [state]


def test_a_node_that_was_handed_over_is_owned_by_nobody(registry: Registry, state: NodeState) -> None:
    assert state.owned
    registry.hand_over(state)

    assert not registry.get("one").owned


def test_a_forgotten_node_leaves_no_file(registry: Registry, state: NodeState) -> None:
    registry.save(state)
    registry.control("one").touch()
    registry.forget(state)
    registry.forget(state)

    assert list((registry.folder / "nodes").iterdir()) == []


def test_a_process_is_alive_until_it_ends_and_a_zombie_is_not() -> None:
    process = subprocess.Popen(["sleep", "60"])
    identity = ProcessIdentity.of(process.pid)
    assert identity.alive
    assert not identity.wait(0)

    identity.send(signal.SIGKILL)

    assert identity.wait(5)
    assert not identity.alive  # though nobody has reaped it yet
    process.wait()
    assert identity.wait(0)
    with pytest.raises(ProcessLookupError):
        ProcessIdentity.of(process.pid)


def test_another_process_of_the_same_pid_is_never_signalled() -> None:
    process = subprocess.Popen(["sleep", "60"])
    now = ProcessIdentity.of(process.pid)
    for former in (replace(now, started=now.started - 1), replace(now, boot="another")):
        assert not former.alive
        former.send(signal.SIGKILL)
    assert now.alive
    process.kill()
    process.wait()
