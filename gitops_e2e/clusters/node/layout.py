"""Where a node's files are: on the machine below its data folder, and how the node itself sees them.

<data>/etc            the node's /etc: certificates, kubeconfigs, configuration files
<data>/var            the node's /var: etcd's data, containerd's images, the kubelet's pods, logs
<data>/root           where the node's root file system is put together; an empty folder to everybody else
<data>/processes.json what init runs
<data>/kubeconfig     the administrator's
<data>/scratch        files of the run that the node is for
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.clusters.files import ClusterFiles

CONTAINERD_ROOT = Path("/var/lib/containerd")
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
KUBERNETES = Path("/etc/kubernetes")
PKI = KUBERNETES / "pki"
LOGS = Path("/var/log")


@dataclass(frozen=True)
class Layout(ClusterFiles):
    """The files of one node, as the machine sees them."""

    data: Path

    @property
    def root(self) -> Path:
        """The mount point of the node's root file system."""
        return self.data / "root"

    @property
    def processes(self) -> Path:
        """The process table, as JSON."""
        return self.data / "processes.json"

    def of(self, inside: Path) -> Path:
        """Where a path of the node below /etc or /var is on the machine."""
        return self.data / inside.relative_to("/")

    def log(self, process: str) -> Path:
        """The log of one process of the node, of `init` or of `supervisor`."""
        return self.of(LOGS / f"{process}.log")

    def last_lines(self, process: str, count: int = 15) -> str:
        """The end of a log, indented, for a message; empty where there is none."""
        try:
            lines = self.log(process).read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "".join(f"\n    | {line}" for line in lines[-count:])
