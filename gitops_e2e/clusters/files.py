"""The files that every provider keeps of a cluster, in one folder of this machine."""

from __future__ import annotations

from pathlib import Path


class ClusterFiles:
    """What is in the folder `data`, wherever that is."""

    data: Path

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig by which this machine uses the cluster, of this cluster alone."""
        return self.data / "kubeconfig"

    @property
    def scratch(self) -> Path:
        """Where the run that the cluster is for keeps its own files."""
        return self.data / "scratch"
