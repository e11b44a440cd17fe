"""Which provider a run takes, and why; starting a cluster with it, or finding one that was kept."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.clusters.node import requirements
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.machine.packages import require
from gitops_e2e.toolchain import Toolchain

CHOICES = ("auto", "node", "kind", "existing")
_LATER = {"kind", "existing"}


class NoProvider(HarnessError):
    """No provider can run here, or the one that was asked for."""


@dataclass(frozen=True)
class Provider:
    """What provides the cluster, and why it was chosen."""

    name: str
    reason: str

    @staticmethod
    def choose(wanted: str) -> Provider:
        """The provider for `--cluster wanted`. Raises NoProvider."""
        if wanted in _LATER:
            raise NoProvider(
                f"--cluster {wanted} is not there yet", remedy="use --cluster node, as root on Linux, or leave it out"
            )
        impediment = requirements.unavailable_because()
        if impediment:
            raise NoProvider(
                f"neither the built-in node nor kind can provide a cluster here: {impediment}, and kind comes later",
                remedy="run as root on Linux (sudo make features)",
            )
        return Provider("node", "asked for" if wanted == "node" else "auto: the built-in node can run here")

    def start(self, name: str, images: Images, toolchain: Toolchain) -> Cluster:
        """Build what is missing, and start a cluster that ends with this process unless it is kept."""
        require(*requirements.PACKAGES)
        images.build_all()
        golden = images.golden_root()
        return Node.start(name, binary=toolchain.binary, golden=golden, pause=images.reference("pause"))


def attach(name: str) -> Cluster:
    """A cluster that an earlier run kept, or that another process of this run owns. Raises HarnessError."""
    return Node.attach(name)
