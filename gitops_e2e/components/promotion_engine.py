"""The promotion engine, which behaves as Kargo does, as a component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.components.adapting import adapted
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.certificate import await_issued
from gitops_e2e.components.component import KARGO, Component
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter import KARGO_VERSION, VERSION
from gitops_e2e.promoter.admission import installation
from gitops_e2e.promoter.admission.configuration import BehindService, InjectedBy, configurations, serving_certificate
from gitops_e2e.promoter.api import crds

_WEBHOOKS = BehindService("kargo", "kargo-webhooks-server")
_TRUST = InjectedBy(_WEBHOOKS.namespace, _WEBHOOKS.name)
_CERTIFICATE = Ref("v1", "Secret", "kargo-webhooks-server-cert", _WEBHOOKS.namespace)


@dataclass(frozen=True)
class PromotionEngine(Component):
    """The engine in one pod: controllers and webhooks; their certificate is from cert-manager."""

    name: ClassVar[str] = KARGO
    namespace: ClassVar[str] = _WEBHOOKS.namespace
    needs: ClassVar[tuple[str, ...]] = ("cert-manager",)
    sources: Sources
    images: Images
    authority: Authority

    def manifests(self) -> list[Manifest]:
        """Its kinds, the engine, its certificate, and what the API server asks it about."""
        return [*crds.manifests(), *self._own(), *self._certificate(), *configurations(_WEBHOOKS, _TRUST)]

    def install(self, kube: Kube, *, within: float) -> None:
        """Install all but the webhooks. Raises KubeError with what was refused, NotIssued or NotEstablished."""
        own = self._own()
        namespaces = [manifest for manifest in own if manifest["kind"] == "Namespace"]
        apply_all(kube, [*namespaces, *self._certificate()], within=within)
        crds.install(kube, timeout=within)
        await_issued(kube, _CERTIFICATE, within=within)
        apply_all(kube, own, within=within)

    def complete(self, kube: Kube, *, within: float) -> None:
        """Let the API server ask the engine, which can answer now. Raises NotAsked where it does not."""
        installation.install(kube, _WEBHOOKS, _TRUST, timeout=within)

    def pinned(self) -> str:
        """The engine's version, and the version of Kargo that it stands for."""
        return _told(VERSION)

    def version(self, kube: Kube) -> str:
        """The same of the pod that runs. Raises HarnessError while there is none."""
        return _told(super().version(kube))

    def _own(self) -> list[Manifest]:
        images = {"promoter": self.images.reference(f"promoter:{VERSION}")}
        own = adapted(self.sources.own("kargo.yaml"), namespace=self.namespace, images=images)
        return [*own, self.authority.trust("kargo-trust", self.namespace)]

    def _certificate(self) -> list[Manifest]:
        return serving_certificate(_WEBHOOKS, secret=_CERTIFICATE.name)


def _told(version: str) -> str:
    return f"engine {version} (Kargo {KARGO_VERSION} API)"
