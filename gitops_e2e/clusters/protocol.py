"""What every provider of a cluster gives: an API server, an address, images, an end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol


class Cluster(Protocol):
    """A running cluster. Scenarios know nothing else about where they run."""

    @property
    def name(self) -> str:
        """The name it is found again by."""

    @property
    def provider(self) -> str:
        """`node`, `kind` or `existing`."""

    @property
    def labels(self) -> Mapping[str, str]:
        """What tells objects of the run from those of others; none where everything is the run's."""

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig whose current context is this cluster's administrator."""

    @property
    def address(self) -> str:
        """The host at which NodePorts answer."""

    def reach(self, ports: Collection[int]) -> str:
        """Let NodePorts answer at `address` while this process is at the cluster, and tell how, in words.

        It is for the process that a run belongs to. `ports` are those of the stack. Raises HarnessError where they
        cannot be reached.
        """

    @property
    def scratch(self) -> Path:
        """A folder on this machine for files of a run: it goes with the cluster, even if the run is killed."""

    def load(self, archives: Sequence[Path]) -> None:
        """Give the cluster's nodes the images of these OCI archives, where they are not there yet."""

    def check(self) -> None:
        """Raise HarnessError, with the reason, if the cluster has died, so that nothing on it can go well any more."""

    def restart_api_server(self) -> None:
        """Kill the API server and wait until another one answers. Raises HarnessError where it is not ours."""

    def keep(self) -> None:
        """Let the cluster outlive this process; from now on only `delete` ends it."""

    def delete(self) -> None:
        """End the cluster and everything in it; a cluster that is gone already is fine."""
