"""cert-manager, by the chart in its module or by a packed one, with an issuer for the stack's own CA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.bundle import Chart
from gitops_e2e.components.adapting import adapted
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.charts.pins import values_of
from gitops_e2e.components.component import Component
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Manifest

_MODULE = "github.com/cert-manager/cert-manager"
_PARTS = ("controller", "cainjector", "webhook")

ISSUER = "gitops-e2e"
"""The ClusterIssuer that issues with the stack's CA."""


@dataclass(frozen=True)
class CertManager(Component):
    """Controller, webhook and cainjector; the ClusterIssuer `gitops-e2e`."""

    name: ClassVar[str] = "cert-manager"
    namespace: ClassVar[str] = "cert-manager"
    sources: Sources
    images: Images
    authority: Authority
    chart: Chart | None = None

    def beside(self) -> list[Manifest]:
        """The CA, which an issuer of ours issues with."""
        return [self.authority.secret()]

    def manifests(self) -> list[Manifest]:
        """The chart, rendered without its start-up job, and the CA. Some of its roles are for kube-system."""
        images = {f"quay.io/jetstack/cert-manager-{p}": self.images.reference(f"cert-manager-{p}") for p in _PARTS}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        return [
            namespace,
            *adapted(self._published(), namespace=self.namespace, images=images),
            self.authority.secret(),
        ]

    def _published(self) -> list[Manifest]:
        values = values_of("cert-manager")
        if self.chart is None:
            return self.sources.chart(
                _MODULE, "deploy/charts/cert-manager", "deploy/crds", namespace=self.namespace, values=values
            )
        return self.sources.packed_chart(self.chart, namespace=self.namespace, values=[values])
