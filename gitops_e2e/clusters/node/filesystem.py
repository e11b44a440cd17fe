"""The node's root file system: the machine's /usr, read-only, and everything else the node's own.

Without it the kubelet would write to the machine's /var/lib/kubelet and /var/log, and a pod could mount the
machine's files. It is put together from one fstab, so what the node sees is one list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.layout import Layout
from gitops_e2e.commands import run

_BOUND = 20.0
_MERGED_INTO_USR = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")

_KERNEL_SETTINGS = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}
"""What the kubelet demands (pkg/kubelet/cm, setupKernelTunables), and would set for the whole machine."""


@dataclass(frozen=True)
class FsEntry:
    """A line of an fstab, its target below the new root."""

    source: str
    target: str
    type: str
    options: str

    def line(self, root: Path) -> str:
        """The line, its words escaped as fstab(5) has it."""
        target = root / self.target.lstrip("/")
        return " ".join(map(_escaped, (self.source, str(target), self.type, self.options))) + " 0 0"


def entries(layout: Layout, hierarchies: Iterable[cgroups.Mount], folders: Iterable[Path]) -> list[FsEntry]:
    """What the node sees, in the order of mounting. `folders` of the machine keep their path, read-only."""
    return [
        *(_bind("/usr", "ro"), _bind("/dev")),
        FsEntry("devpts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5"),
        *(_tmpfs("/dev/shm", "1777"), _tmpfs("/run", "0755"), _tmpfs("/tmp", "1777")),  # noqa: S108 - the node's own
        FsEntry(str(layout.data / "etc"), "/etc", "none", "bind,X-mount.mkdir"),
        FsEntry(str(layout.data / "var"), "/var", "none", "bind,X-mount.mkdir"),
        *(_bind(str(folder), "ro") for folder in folders),  # late: a cache may lie below /tmp or /var
        FsEntry("proc", "/proc", "proc", "X-mount.mkdir"),
        FsEntry("sysfs", "/sys", "sysfs", "X-mount.mkdir"),
        *(_cgroup(mount) for mount in hierarchies),
    ]


def enter(layout: Layout, hierarchies: Iterable[cgroups.Mount], folders: Iterable[Path]) -> None:
    """Put the root file system together and make it that of every process in this mount namespace."""
    root = layout.root
    _mount([FsEntry("tmpfs", "/", "tmpfs", "mode=0755")], layout)
    _mount(entries(layout, hierarchies, folders), layout)
    for name in _MERGED_INTO_USR:
        link = Path("/", name)
        if link.is_symlink():
            (root / name).symlink_to(link.readlink())
    _mount(list(_kernel_settings(layout)), layout)
    old = root / "machine"
    old.mkdir()
    run(["pivot_root", root, old], timeout=_BOUND)
    os.chdir("/")
    run(["umount", "--lazy", "--recursive", "/machine"], timeout=_BOUND)
    Path("/machine").rmdir()


def _kernel_settings(layout: Layout) -> Iterable[FsEntry]:
    """Files of the node in the place of the machine-wide settings that the kubelet insists on."""
    for name, value in _KERNEL_SETTINGS.items():
        if not Path("/proc/sys", name).exists():
            continue  # a kernel without it; the kubelet says so if it cannot do without
        file = layout.data / "etc" / "sysctl" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value + "\n")
        yield FsEntry(str(file), f"/proc/sys/{name}", "none", "bind")


def _mount(wanted: list[FsEntry], layout: Layout) -> None:
    fstab = layout.data / "fstab"
    fstab.write_text("".join(entry.line(layout.root) + "\n" for entry in wanted))
    run(["mount", "--all", "--fstab", fstab], timeout=_BOUND)


def _bind(folder: str, *options: str) -> FsEntry:
    return FsEntry(folder, folder, "none", ",".join(("bind", "X-mount.mkdir", *options)))


def _tmpfs(folder: str, mode: str) -> FsEntry:
    return FsEntry("tmpfs", folder, "tmpfs", f"mode={mode},X-mount.mkdir")


def _cgroup(mount: cgroups.Mount) -> FsEntry:
    return FsEntry(mount.type, f"/sys/fs/cgroup/{mount.folder}", mount.type, f"{mount.options},X-mount.mkdir")


def _escaped(word: str) -> str:
    return word.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
