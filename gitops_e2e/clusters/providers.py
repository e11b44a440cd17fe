"""Which provider a run takes, and why; starting a cluster with it, or finding one that was kept."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.clusters.node import requirements
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.machine.capacity import require_disk, require_memory
from gitops_e2e.machine.packages import require
from gitops_e2e.toolchain import Toolchain

CHOICES = ("auto", "node", "kind", "existing")
_LATER = {"kind", "existing"}

# What a node with the stack and a pipeline or two takes, as measured, with some to spare.
_MEMORY = 4 * 2**30
_DISK = 2 * 2**30


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
            kind = "" if wanted == "node" else ", and kind is not there yet"
            raise NoProvider(
                f"the built-in node cannot run here: {impediment}{kind}",
                remedy="run as root on Linux (sudo make features)",
            )
        return Provider("node", "asked for" if wanted == "node" else "auto: the built-in node can run here")

    def start(self, name: str, images: Images, toolchain: Toolchain) -> Cluster:
        """Build what is missing, and start a cluster that ends with this process unless it is kept.

        Raises TooLittleDisk or TooLittleMemory before anything is begun, and whatever building and starting raise.
        """
        require_disk(images.cache.root, _DISK, purpose="a cluster with the whole stack")
        require_memory(_MEMORY, purpose="a cluster with the whole stack")
        require(*requirements.PACKAGES)
        images.build_all()
        golden = images.golden_root()
        return Node.start(name, binary=toolchain.binary, golden=golden, pause=images.reference("pause"))


def attach(name: str) -> Cluster:
    """A cluster that an earlier run kept, or that another process of this run owns. Raises HarnessError."""
    return Node.attach(name)
