"""An address of the registry that one Project alone uses, so that it can go away without troubling anyone else."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Manifest, running_pod
from gitops_e2e.pipeline.names import REGISTRY
from gitops_e2e.pipeline.project import Project

_NAME = "registry"
_REGISTRY_NAMESPACE = REGISTRY.split(".")[1]
_PORT = 5000


@dataclass(frozen=True)
class RegistryAddress:
    """A Service in the Project's namespace, in front of the registry's pod or of nothing."""

    project: Project

    @property
    def image_repository(self) -> str:
        """The Project's image repository at this address."""
        names = self.project.names
        return f"{_NAME}.{names.project}.svc.cluster.local:{_PORT}/{names.image_path()}"

    def create(self) -> None:
        """Make the address, with the registry behind it."""
        service: Manifest = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _NAME},
            "spec": {"ports": [{"name": "http", "port": _PORT}]},
        }
        self.project.create_object(service)
        self.open()

    def open(self) -> None:
        """Let the registry be behind it."""
        self._lead_to([self._pod_address()])

    def close(self) -> None:
        """Let nothing be behind it: connections are refused."""
        self._lead_to([])

    def _lead_to(self, addresses: list[str]) -> None:
        slices: Manifest = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": _NAME,
                "namespace": self.project.names.project,
                "labels": {"kubernetes.io/service-name": _NAME},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses],
            "ports": [{"name": "http", "port": _PORT, "protocol": "TCP"}],
        }
        self.project.platform.kube.apply(slices)

    def _pod_address(self) -> str:
        kube = self.project.platform.kube
        pod = running_pod(kube, _REGISTRY_NAMESPACE, {"app": "registry"}, of="the registry")
        return str(pod["status"]["podIP"])
