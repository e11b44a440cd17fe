"""Where no node can run, one sentence says why, and a line what to do about it."""

from __future__ import annotations

import sys

import pytest

from gitops_e2e.clusters.node.requirements import unavailable
from gitops_e2e.commands import run

pytestmark = pytest.mark.node

_ASK = "from gitops_e2e.clusters.node.requirements import unavailable; print(unavailable())"


def _asked(*within: str) -> str:
    return run([*within, sys.executable, "-c", _ASK], timeout=30).stdout.strip()


def test_a_node_can_run_where_these_tests_run() -> None:
    assert unavailable() is None


def test_another_user_than_root_is_told() -> None:
    assert _asked("unshare", "--user").splitlines() == [
        "only root may make the namespaces of a node",
        "  to do: run as root on Linux (sudo make features)",
    ]


def test_root_without_its_powers_is_told_which_are_missing() -> None:
    reason = _asked("setpriv", "--bounding-set=-sys_admin", "--")

    assert reason.splitlines() == [
        "root lacks CAP_SYS_ADMIN here, as in a container that is not privileged",
        "  to do: run it outside of the container, or in one that is privileged",
    ]


def test_a_machine_without_control_groups_is_told() -> None:
    reason = _asked("unshare", "--mount", "sh", "-c", 'umount -R /sys/fs/cgroup && exec "$@"', "sh")

    assert "fit neither version 1" in reason
    assert "to do: boot with `systemd.unified_cgroup_hierarchy=1`" in reason
