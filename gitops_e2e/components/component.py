"""What every component of the stack has: manifests to install, workloads to be ready, a version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from gitops_e2e.components.adapting import containers
from gitops_e2e.components.applying import apply_all
from gitops_e2e.kube import Kube, Manifest, Ref


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

    def workloads(self) -> list[Ref]:
        """The Deployments and StatefulSets that must be rolled out for the component to be ready."""
        return [Ref.of(manifest) for manifest in self.manifests() if manifest["kind"] in {"Deployment", "StatefulSet"}]

    def version(self, kube: Kube) -> str:
        """The version that runs: the tag of the image of the first workload, as the cluster has it."""
        workload = kube.get(self.workloads()[0])
        *_, main = containers(workload)
        return str(main["image"]).rpartition(":")[2]
