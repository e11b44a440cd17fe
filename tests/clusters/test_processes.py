"""The process table as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.clusters.node.network import Subnet
from gitops_e2e.clusters.node.processes import BINARIES, Table, node_processes


@pytest.fixture
def table() -> Table:
    return node_processes("one", Subnet(1), lambda name: Path("/opt/kubernetes") / name, Path("/cache/golden"))


def test_the_table_survives_json(table: Table) -> None:
    assert Table.from_json(table.to_json()) == table


def test_every_process_can_be_started_one_after_the_other(table: Table) -> None:
    started: set[str] = set()
    while len(started) < len(table.processes):
        possible = {one.name for one in table.processes if set(one.after) <= started} - started
        assert possible, f"nothing can be started after {started}"
        started |= possible


def test_the_table_runs_each_command_that_the_caller_provides(table: Table) -> None:
    commands = {Path(process.argv[0]).name for process in table.processes}

    assert commands == {*BINARIES, "containerd"}


def test_the_node_sees_the_commands_and_the_images(table: Table) -> None:
    assert table.folders == ("/cache/golden", "/opt/kubernetes")


def test_the_api_server_advertises_the_nodes_address(table: Table) -> None:
    apiserver = next(process for process in table.processes if process.name == "kube-apiserver")

    assert "--advertise-address=10.231.0.6" in apiserver.argv
