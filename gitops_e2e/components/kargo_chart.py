"""Kargo itself, by its own chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.bundle import Chart
from gitops_e2e.components.adapting import adapted
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.cert_manager import CertManager
from gitops_e2e.components.certificate import await_issued
from gitops_e2e.components.charts.pins import values_of
from gitops_e2e.components.component import KARGO, Component
from gitops_e2e.components.rollouts import Rollouts
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import KARGO_IMAGE
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission import installation

_TRUST = "kargo-trust"
_FIRST = {"Namespace", "Issuer", "Certificate"}


@dataclass(frozen=True)
class KargoChart(Component):
    """Controller, management controller and webhooks server; their certificate is from cert-manager.

    The controller looks once, when it starts, whether the kinds of Argo CD and Argo Rollouts are there, and does
    without them for good where they are not.
    """

    name: ClassVar[str] = KARGO
    namespace: ClassVar[str] = "kargo"
    needs: ClassVar[tuple[str, ...]] = (CertManager.name, ArgoCD.name, Rollouts.name)
    sources: Sources
    images: Images
    authority: Authority
    chart: Chart

    def manifests(self) -> list[Manifest]:
        """The chart, rendered, with the authority that the Git server's certificate is from."""
        chart = self.sources.packed_chart(self.chart, namespace=self.namespace, values=[values_of("kargo")])
        images = {KARGO_IMAGE: self.images.reference("kargo")}
        namespace: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        trust = self.authority.trust(_TRUST, self.namespace)
        return [namespace, trust, *adapted(chart, namespace=self.namespace, images=images)]

    def install(self, kube: Kube, *, within: float) -> None:
        """Install the certificates, wait until they are issued, then install the rest. Raises KubeError, NotIssued."""
        manifests = self.manifests()
        apply_all(kube, [each for each in manifests if each["kind"] in _FIRST], within=within)
        for each in manifests:
            if each["kind"] == "Certificate":
                secret = Ref("v1", "Secret", each["spec"]["secretName"], each["metadata"]["namespace"])
                await_issued(kube, secret, within=within)
        apply_all(kube, manifests, within=within)

    def complete(self, kube: Kube, *, within: float) -> None:
        """Wait until the API server asks the webhooks. Raises NotAsked where it does not."""
        installation.await_asked(kube, timeout=within)
