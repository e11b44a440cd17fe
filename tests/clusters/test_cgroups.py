"""Control groups against recorded machines; version 2's moves also against a real, controller-less hierarchy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.cgroups import Cgroups, Mount, VersionOne, VersionTwo
from gitops_e2e.clusters.node.errors import UnsuitableCgroups

_RECORDED = Path(__file__).parent / "recorded"
_DEBIAN_12 = "cpuset cpu io memory hugetlb pids rdma misc"


class Machine:
    """A recorded machine below a folder: its mounts, and the files that the kernel would show there."""

    def __init__(self, name: str, root: Path) -> None:
        recorded = (_RECORDED / f"{name}.mountinfo").read_text()
        self.root = root
        self.mountinfo = recorded.replace(" /sys/fs/cgroup", f" {root}")
        for line in self.mountinfo.splitlines():
            if " - cgroup " in line or " - cgroup2 " in line:
                Path(line.split(" ")[4]).mkdir(parents=True, exist_ok=True)

    def write(self, path: str, content: str) -> None:
        (self.root / path).write_text(content)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def detect(self) -> Cgroups:
        return cgroups.detect(self.mountinfo)


def test_named_hierarchies_with_an_empty_unified_one_are_version_1(tmp_path: Path) -> None:
    machine = Machine("v1-and-empty-unified", tmp_path)
    machine.write("unified/cgroup.controllers", "")

    groups = machine.detect()

    assert isinstance(groups, VersionOne)
    names = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"]
    assert groups.mounts() == (
        Mount("tmpfs", "mode=755", ""),
        *(Mount("cgroup", name, name) for name in names),
        Mount("cgroup", "none,name=systemd", "systemd"),
    )


def test_hierarchies_of_two_controllers_are_mounted_as_one(tmp_path: Path) -> None:
    machine = Machine("v1-systemd", tmp_path)
    machine.write("unified/cgroup.controllers", "")

    mounts = machine.detect().mounts()

    assert Mount("cgroup", "cpu,cpuacct", "cpu,cpuacct") in mounts
    assert Mount("cgroup", "net_cls,net_prio", "net_cls,net_prio") in mounts
    assert Mount("cgroup", "none,name=systemd", "systemd") in mounts


def test_a_cpuset_is_filled_before_a_process_can_enter(tmp_path: Path) -> None:
    machine = Machine("v1-and-empty-unified", tmp_path)
    machine.write("unified/cgroup.controllers", "")
    machine.write("cpuset/cpuset.cpus", "0-1\n")
    machine.write("cpuset/cpuset.mems", "0\n")

    groups = machine.detect()
    groups.create("one")
    groups.enter("one")

    assert machine.read("cpuset/one/cpuset.cpus") == "0-1\n"
    assert machine.read("cpuset/one/cpuset.mems") == "0\n"
    assert machine.read("memory/one/cgroup.procs") == str(os.getpid())
    assert machine.read("systemd/one/cgroup.procs") == str(os.getpid())
    assert not (tmp_path / "unified/one").exists()


def test_a_node_weighs_more_than_a_process_beside_it(tmp_path: Path) -> None:
    machine = Machine("v1-systemd", tmp_path)
    machine.write("unified/cgroup.controllers", "")
    machine.write("cpuset/cpuset.cpus", "0-1\n")
    machine.write("cpuset/cpuset.mems", "0\n")

    machine.detect().create("one")

    assert int(machine.read("cpu,cpuacct/one/cpu.shares")) > 1024


def test_the_unified_hierarchy_is_version_2(tmp_path: Path) -> None:
    machine = Machine("v2", tmp_path)
    machine.write("cgroup.controllers", _DEBIAN_12)

    groups = machine.detect()

    assert groups == VersionTwo(tmp_path, ("cpu", "cpuset", "hugetlb", "io", "memory", "pids"))
    assert [mount.type for mount in groups.mounts()] == ["cgroup2"]


def test_in_version_2_controllers_are_handed_down_once_the_inner_group_is_empty(tmp_path: Path) -> None:
    machine = Machine("v2", tmp_path)
    machine.write("cgroup.controllers", _DEBIAN_12)
    groups = machine.detect()
    handed_down = "+cpu +cpuset +hugetlb +io +memory +pids"

    groups.create("one")
    assert machine.read("cgroup.subtree_control") == handed_down
    groups.enter("one")
    assert machine.read("one/cgroup.procs") == str(os.getpid())
    assert not (tmp_path / "one/cgroup.subtree_control").exists()
    groups.settle("one", (41, 42))
    assert machine.read("one/init/cgroup.procs") == "42"
    assert machine.read("one/cgroup.subtree_control") == handed_down


def test_version_2_without_a_way_to_hand_controllers_down_is_refused(tmp_path: Path) -> None:
    machine = Machine("v2", tmp_path)
    machine.write("cgroup.controllers", _DEBIAN_12)
    (tmp_path / "cgroup.subtree_control").mkdir()  # not to be written to, as in a container's own top group

    with pytest.raises(UnsuitableCgroups, match="cannot hand the controllers"):
        machine.detect().create("one")
    assert not (tmp_path / "one").exists()


def test_controllers_split_between_both_versions_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    machine = Machine("split", tmp_path)
    machine.write("unified/cgroup.controllers", "memory pids")

    with pytest.raises(UnsuitableCgroups) as refused:
        machine.detect()

    assert "missing: memory pids" in refused.value.what
    assert "missing: cpu cpuset io" in refused.value.what
    assert "systemd.unified_cgroup_hierarchy=1" in str(refused.value)


def test_a_machine_without_control_groups_is_refused() -> None:
    with pytest.raises(UnsuitableCgroups, match="there: none"):
        cgroups.detect("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n")


def test_directories_are_removed_bottom_up_and_absent_ones_are_fine(tmp_path: Path) -> None:
    machine = Machine("v2", tmp_path)
    machine.write("cgroup.controllers", _DEBIAN_12)
    groups = machine.detect()
    (tmp_path / "one/kubepods/burstable").mkdir(parents=True)

    groups.remove("one")
    groups.remove("one")

    assert not (tmp_path / "one").exists()


def test_a_container_of_docker_leaves_nothing_in_a_unified_hierarchy_beside_those_of_version_1(tmp_path: Path) -> None:
    machine = Machine("v1-and-empty-unified", tmp_path)
    for hierarchy in ("cpu", "systemd", "unified"):
        (tmp_path / hierarchy / "one/container").mkdir(parents=True)

    cgroups.remove_everywhere("one", machine.mountinfo)

    assert list(tmp_path.glob("*/one")) == []


@pytest.fixture
def real() -> Iterator[VersionTwo]:
    """The machine's own hierarchy of version 2, with the controllers that version 1 has left it, if any."""
    mounts = [
        line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line
    ]
    if not mounts:
        pytest.skip("this machine has no hierarchy of version 2 mounted")
    top = Path(mounts[0])
    before = (top / "cgroup.subtree_control").read_text().split()
    controllers = tuple((top / "cgroup.controllers").read_text().split())
    yield VersionTwo(top, controllers)
    (top / "cgroup.subtree_control").write_text(" ".join(f"-{name}" for name in controllers if name not in before))


@pytest.fixture
def entered(real: VersionTwo) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A node's group, and a process that has entered it and waits before it looks at its namespace's root."""
    name = f"gitops-e2e-test-{os.getpid()}"
    look = (
        "read go; mount -t cgroup2 none /mnt; cat /mnt/init/cgroup.procs /mnt/cgroup.subtree_control /proc/self/cgroup"
    )
    real.create(name)
    enter = f"echo $$ > {real.mount}/{name}/cgroup.procs; exec unshare --cgroup --mount sh -c 'echo entered; {look}'"
    process = subprocess.Popen(["sh", "-c", enter], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    yield name, process
    process.kill()
    process.communicate()
    real.remove(name)


@pytest.mark.node
def test_in_a_real_version_2_a_process_settles_below_the_top_that_it_sees(
    real: VersionTwo, entered: tuple[str, subprocess.Popen[str]]
) -> None:
    name, process = entered

    real.settle(name, [process.pid])
    seen, _ = process.communicate("go\n", timeout=10)

    assert str(process.pid) in seen.split()
    assert set(real.controllers) <= set(seen.split())
    assert "0::/init" in seen.splitlines()


@pytest.mark.node
def test_a_real_version_2_hands_no_controller_down_while_a_process_has_not_settled(
    real: VersionTwo, entered: tuple[str, subprocess.Popen[str]]
) -> None:
    if not real.controllers:
        pytest.skip("version 1 has every controller of this machine")
    with pytest.raises(OSError, match="busy"):
        real.settle(entered[0], [])
