"""Argo Rollouts, from the install manifest in its module, or by its chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.bundle import Chart
from gitops_e2e.components.adapting import NO_ELECTION, adapted, with_arguments
from gitops_e2e.components.charts.pins import values_of
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
    chart: Chart | None = None

    def manifests(self) -> list[Manifest]:
        """What is published, for one controller that needs no election."""
        images = {"quay.io/argoproj/argo-rollouts": self.images.reference("argo-rollouts")}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        controller = adapted(self._published(), namespace=self.namespace, images=images)
        return [namespace, *with_arguments(controller, "argo-rollouts", [NO_ELECTION])]

    def _published(self) -> list[Manifest]:
        """By the chart; or the module's `manifests/install.yaml`, which names no namespace and the image `latest`."""
        if self.chart is None:
            return self.sources.upstream("github.com/argoproj/argo-rollouts", "manifests/install.yaml")
        return self.sources.packed_chart(self.chart, namespace=self.namespace, values=[values_of(self.chart.name)])
