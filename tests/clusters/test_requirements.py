"""Where no node can run, one sentence says why."""

from __future__ import annotations

import sys

import pytest

from gitops_e2e.clusters.node.requirements import unavailable_because
from gitops_e2e.commands import run

pytestmark = pytest.mark.node

_ASK = "from gitops_e2e.clusters.node.requirements import unavailable_because; print(unavailable_because())"


def _asked(*within: str) -> str:
    return run([*within, sys.executable, "-c", _ASK], timeout=30).stdout.strip()


def test_a_node_can_run_where_these_tests_run() -> None:
    assert unavailable_because() is None


def test_another_user_than_root_is_told() -> None:
    assert _asked("unshare", "--user") == "only root may make the namespaces of a node"


def test_root_without_its_powers_is_told_which_are_missing() -> None:
    reason = _asked("setpriv", "--bounding-set=-sys_admin", "--")

    assert reason == "root lacks CAP_SYS_ADMIN here, as in a container that is not privileged"


def test_a_machine_without_control_groups_is_told() -> None:
    reason = _asked("unshare", "--mount", "sh", "-c", 'umount -R /sys/fs/cgroup && exec "$@"', "sh")

    assert "fit neither version 1" in reason
