"""A node's control groups, in version 1 and version 2 of the kernel's interface.

The node gets one directory at the top of each hierarchy. A cgroup namespace makes it the root of all that the
node sees, so the kubelet neither sees the machine's groups nor those of another node.

Version 2 demands that a group which hands controllers down holds no process itself, so there the node's
processes live in the leaf `init` of its directory (cgroups(7), "no internal processes").
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitops_e2e.clusters.node.errors import UnsuitableCgroups

_NEEDED_V1 = frozenset({"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"})
_NEEDED_V2 = frozenset({"cpu", "cpuset", "io", "memory", "pids"})
_CONTROLLERS_V1 = _NEEDED_V1 | {"hugetlb", "misc", "net_cls", "net_prio", "perf_event", "rdma"}
_LEAF = "init"
# By default a whole group weighs as much as one process beside it (1024): on a busy machine a node would starve.
_SHARES_V1 = 4 * 1024
_EMPTYING_BOUND = 10.0
_EMPTYING_POLL = 0.005


@dataclass(frozen=True)
class Mount:
    """A file system to mount inside the node, below its `/sys/fs/cgroup`."""

    type: str
    options: str
    folder: str


class Cgroups(Protocol):
    """What a node needs of the machine's control groups."""

    def create(self, node: str) -> None:
        """Make the node's directories."""

    def enter(self, node: str) -> None:
        """Move the calling process into the node's directories, to make them its namespace's roots."""

    def settle(self, node: str, pids: Iterable[int]) -> None:
        """Move the node's first processes to where they stay, before there are others, and enable controllers."""

    def mounts(self) -> tuple[Mount, ...]:
        """What to mount afresh inside the node, in this order."""

    def remove(self, node: str) -> None:
        """Remove the node's directories, bottom-up; its processes have ended. Absent ones are fine."""


@dataclass(frozen=True)
class Hierarchy:
    """A mounted hierarchy of version 1, and what it was mounted for: `cpu,cpuacct`, or `name=systemd`."""

    mount: Path
    options: str

    @property
    def controllers(self) -> frozenset[str]:
        """The controllers attached to it; a named hierarchy has none."""
        return frozenset(self.options.split(",")) & _CONTROLLERS_V1


@dataclass(frozen=True)
class VersionOne:
    """One hierarchy for each controller, or a few."""

    hierarchies: tuple[Hierarchy, ...]

    def create(self, node: str) -> None:
        """Make the node's directory in each hierarchy; a cpuset starts empty and takes no process until filled."""
        for hierarchy in self.hierarchies:
            folder = hierarchy.mount / node
            folder.mkdir(exist_ok=True)
            if "cpuset" in hierarchy.controllers:
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (folder / file).write_text((hierarchy.mount / file).read_text())
            if "cpu" in hierarchy.controllers:
                (folder / "cpu.shares").write_text(str(_SHARES_V1))

    def enter(self, node: str) -> None:
        """Move the calling process into each directory."""
        for hierarchy in self.hierarchies:
            _move(os.getpid(), hierarchy.mount / node)

    def settle(self, node: str, pids: Iterable[int]) -> None:
        """Nothing to do: in version 1 an inner group may hold processes."""

    def mounts(self) -> tuple[Mount, ...]:
        """Every hierarchy under the name that it has on the machine."""
        top = Mount("tmpfs", "mode=755", "")
        return (top, *(Mount("cgroup", self._mount_options(one), one.mount.name) for one in self.hierarchies))

    def remove(self, node: str) -> None:
        """Remove the directory in each hierarchy."""
        for hierarchy in self.hierarchies:
            _remove(hierarchy.mount / node)

    @staticmethod
    def _mount_options(hierarchy: Hierarchy) -> str:
        return hierarchy.options if hierarchy.controllers else f"none,{hierarchy.options}"


@dataclass(frozen=True)
class VersionTwo:
    """One hierarchy for all controllers."""

    mount: Path
    controllers: tuple[str, ...]

    def create(self, node: str) -> None:
        """Make the node's directory, with every controller handed down to it, and the leaf for its processes."""
        try:
            self._hand_down(self.mount)
        except OSError as error:
            raise UnsuitableCgroups(
                f"cannot hand the controllers {' '.join(self.controllers)} down to a node: {error.strerror}",
                where=str(self.mount / "cgroup.subtree_control"),
                remedy="where the harness runs in a container, move the container's processes out of its top group",
            ) from error
        (self.mount / node / _LEAF).mkdir(parents=True, exist_ok=True)

    def enter(self, node: str) -> None:
        """Move the calling process into the directory itself, though it may not stay there."""
        _move(os.getpid(), self.mount / node)

    def settle(self, node: str, pids: Iterable[int]) -> None:
        """Move the processes to the leaf; the directory is then free to hand its controllers down."""
        for pid in pids:
            _move(pid, self.mount / node / _LEAF)
        self._hand_down(self.mount / node)

    def mounts(self) -> tuple[Mount, ...]:
        """The one hierarchy."""
        return (Mount("cgroup2", "rw", ""),)

    def remove(self, node: str) -> None:
        """Remove the directory."""
        _remove(self.mount / node)

    def _hand_down(self, folder: Path) -> None:
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in self.controllers))


def detect(mountinfo: str | None = None) -> Cgroups:
    """The machine's control groups, from /proc/self/mountinfo (or a text like it).

    Version 1 if its hierarchies have every controller that a node needs, whatever else is mounted; version 2 if
    the unified hierarchy has. Raises UnsuitableCgroups for anything else, as for controllers split between both.
    """
    mounts = _cgroup_mounts(mountinfo if mountinfo is not None else _mountinfo())
    hierarchies = tuple(Hierarchy(mount, options) for type_, mount, options in mounts if type_ == "cgroup")
    unified = [mount for type_, mount, _ in mounts if type_ == "cgroup2"]
    first = frozenset[str]().union(*(hierarchy.controllers for hierarchy in hierarchies))
    second = frozenset((unified[0] / "cgroup.controllers").read_text().split()) if unified else frozenset[str]()
    if first >= _NEEDED_V1:
        return VersionOne(hierarchies)
    if second >= _NEEDED_V2:
        return VersionTwo(unified[0], tuple(sorted(second & (_NEEDED_V2 | {"hugetlb"}))))
    raise UnsuitableCgroups(
        "the control groups of this machine fit neither version 1 (controllers there: "
        f"{_words(first)}; missing: {_words(_NEEDED_V1 - first)}) nor version 2 (there: {_words(second)}; "
        f"missing: {_words(_NEEDED_V2 - second)})",
        where="/proc/self/mountinfo",
        remedy="boot with `systemd.unified_cgroup_hierarchy=1`, which gives version 2 every controller",
    )


def remove_everywhere(name: str, mountinfo: str | None = None) -> None:
    """Remove the directories of that name at the top of every hierarchy, bottom-up: in those, too, that a node does
    not use, such as version 2's beside those of version 1. Absent ones are fine.
    """
    for _, mount, _ in _cgroup_mounts(mountinfo or _mountinfo()):
        _remove(mount / name)


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _cgroup_mounts(mountinfo: str) -> list[tuple[str, Path, str]]:
    """Type, mount point and options of each hierarchy, the first mount of each (proc(5), /proc/PID/mountinfo)."""
    found: dict[tuple[str, str], Path] = {}
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        type_, _, super_options = rest.split(" ")[:3]
        if type_ in {"cgroup", "cgroup2"}:
            options = [word for word in super_options.split(",") if word in _CONTROLLERS_V1 or word.startswith("name=")]
            found.setdefault((type_, ",".join(options)), Path(fields.split(" ")[4]))
    return [(type_, mount, options) for (type_, options), mount in found.items()]


def _move(pid: int, folder: Path) -> None:
    (folder / "cgroup.procs").write_text(str(pid))


def _remove(folder: Path) -> None:
    inner = [Path(path) for path, _, _ in os.walk(folder, topdown=False)]
    deadline = time.monotonic() + _EMPTYING_BOUND
    for path in inner:
        _remove_empty(path, deadline)


def _remove_empty(folder: Path, deadline: float) -> None:
    """Remove one group: the kernel may count a process that has just ended for a moment longer."""
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_EMPTYING_POLL)
        else:
            return


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(names)) or "none"
