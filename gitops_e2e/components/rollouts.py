"""Argo Rollouts, from the install manifest in its module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.components.adapting import NO_ELECTION, adapted, with_arguments
from gitops_e2e.components.component import Component
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class Rollouts(Component):
    """The controller of canaries and analysis runs."""

    name: ClassVar[str] = "Argo Rollouts"
    namespace: ClassVar[str] = "argo-rollouts"
    sources: Sources
    images: Images

    def manifests(self) -> list[Manifest]:
        """The module's `manifests/install.yaml`, which names no namespace and the image `latest`."""
        upstream = self.sources.upstream("github.com/argoproj/argo-rollouts", "manifests/install.yaml")
        images = {"quay.io/argoproj/argo-rollouts": self.images.reference("argo-rollouts")}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        controller = adapted(upstream, namespace=self.namespace, images=images)
        return [namespace, *with_arguments(controller, "argo-rollouts", [NO_ELECTION])]
