"""What every component of the stack has: manifests to install, workloads to be ready, a version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from gitops_e2e.components.adapting import containers
from gitops_e2e.components.applying import apply_all
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref, running_pod

KARGO = "Kargo"
"""The name of the component that promotes, whichever it is."""

_WORKLOADS = {"Deployment", "StatefulSet"}


class Component(ABC):
    """A part of the stack, installed the same way on every cluster."""

    name: ClassVar[str]
    namespace: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    """Names of the components that must be ready before this one is installed."""

    @abstractmethod
    def manifests(self) -> list[Manifest]:
        """Everything that is applied, in any order."""

    def install(self, kube: Kube, *, within: float) -> None:
        """Apply the manifests. Raises KubeError with what the API server refused."""
        apply_all(kube, self.manifests(), within=within)

    def complete(self, kube: Kube, *, within: float) -> None:  # noqa: B027 - most have nothing to add
        """Install what must wait until the workloads are ready. Raises KubeError with what the API server refused."""

    def beside(self) -> list[Manifest]:
        """What has to be added where somebody else has installed the component."""
        return []

    def is_foreign(self, kube: Kube) -> bool:
        """Whether the cluster has it from somebody else, so that it is used as it is."""
        return bool(kube.labels) and kube.find_foreign(self.workloads()[0]) is not None

    def require_ours(self, kube: Kube) -> None:
        """Raises HarnessError where it is from somebody else: that is not disturbed."""
        if self.is_foreign(kube):
            raise HarnessError(
                f"{self.name} on this cluster is somebody else's: it is not disturbed",
                remedy="play this scenario on a cluster of ours (--cluster node or kind)",
            )

    def workloads(self) -> list[Ref]:
        """The Deployments and StatefulSets that must be rolled out for the component to be ready."""
        return [Ref.of(manifest) for manifest in self.manifests() if manifest["kind"] in _WORKLOADS]

    def services(self) -> list[Manifest]:
        """The Services that lead to it."""
        return [manifest for manifest in self.manifests() if manifest["kind"] == "Service"]

    def node_ports(self) -> list[int]:
        """The NodePorts of its Services."""
        ports = [port for service in self.services() for port in service["spec"].get("ports") or []]
        return [int(port["nodePort"]) for port in ports if "nodePort" in port]

    def pinned(self) -> str:
        """The version that is to run: the tag of the image of the first workload's main container."""
        return self.tag(next(manifest for manifest in self.manifests() if manifest["kind"] in _WORKLOADS))

    def tag(self, workload: Manifest) -> str:
        """The tag of the image of a workload's main container."""
        return _tag(_main_image(workload))

    def confirm(self, kube: Kube) -> None:
        """Raises HarnessError where the cluster has the component from another image than this run would give it.

        What somebody else installed is as it is.
        """
        if self.is_foreign(kube):
            return
        first = next(manifest for manifest in self.manifests() if manifest["kind"] in _WORKLOADS)
        there = kube.find(Ref.of(first))
        if there and _main_image(there) != _main_image(first):
            raise HarnessError(
                f"{self.name} on this cluster is {_main_image(there)}, and this run would have {_main_image(first)}",
                where=str(Ref.of(first)),
                remedy="give the options that it was started with (--kargo, --bundle, --pull), or start another",
            )

    def version(self, kube: Kube) -> str:
        """The version that runs: the tag of the image that the first workload's newest running pod was started from.

        Raises NoRunningPod.
        """
        workload = kube.get(self.workloads()[0])
        pod = running_pod(kube, self.namespace, workload["spec"]["selector"]["matchLabels"], of=self.name)
        return _tag(pod["status"]["containerStatuses"][-1]["image"])


def _main_image(workload: Manifest) -> str:
    *_, main = containers(workload)
    return str(main["image"])


def _tag(image: str) -> str:
    return image.rpartition(":")[2]
