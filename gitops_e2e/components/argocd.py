"""Argo CD: core (no API server, no UI) from the install manifest in its module, or all of it by its chart."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.bundle import Chart
from gitops_e2e.components import git_server
from gitops_e2e.components.adapting import adapted, with_environment
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.charts.pins import values_of
from gitops_e2e.components.component import Component
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, Manifest, Ref

_MODULE = "github.com/argoproj/argo-cd/v3"


@dataclass(frozen=True)
class ArgoCD(Component):
    """Application controller, ApplicationSet controller, repo server, Redis; the AppProject `default`.

    By its chart, where one is given, also the API server; and where pods reach the internet, the UI's extension that
    shows Rollouts.
    """

    name: ClassVar[str] = "Argo CD"
    namespace: ClassVar[str] = "argocd"
    sources: Sources
    images: Images
    authority: Authority
    chart: Chart | None = None

    def install(self, kube: Kube, *, within: float) -> None:
        """Apply the manifests, but for Secrets that are there: pods run with what is in them. Raises KubeError."""
        manifests = self.manifests()
        there = [each for each in manifests if each["kind"] == "Secret" and kube.find(Ref.of(each))]
        apply_all(kube, [each for each in manifests if each not in there], within=within)

    def manifests(self) -> list[Manifest]:
        """What is published, with what a missing API server would have made, and trust in the Git server."""
        images = {
            "quay.io/argoproj/argocd": self.images.reference("argocd"),
            "public.ecr.aws/docker/library/redis": self.images.reference("redis"),
        }
        core = adapted(self._published(), namespace=self.namespace, images=images, pulls=self.images.upstream)
        # No GnuPG in the image: signatures are not part of the pipeline under test.
        core = with_environment(core, "argocd-repo-server", {"ARGOCD_GPG_ENABLED": "false"})
        for manifest in core:
            self._complete(manifest)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        return [namespace, *core, _redis_password(self.namespace), _default_project(self.namespace)]

    def _published(self) -> list[Manifest]:
        if self.chart is None:
            return self.sources.upstream(_MODULE, "manifests/core-install.yaml")
        extension = ["rollout-extension"] if self.images.upstream else []
        values = [values_of(name) for name in (self.chart.name, *extension)]
        return self.sources.packed_chart(self.chart, namespace=self.namespace, values=values)

    def _complete(self, manifest: Manifest) -> None:
        match manifest["kind"], manifest["metadata"]["name"]:
            case "Secret", "argocd-secret":
                # Only the API server would generate it, and settings do not load without (v3.2).
                manifest["stringData"] = {"server.secretkey": secrets.token_urlsafe(32)}
            case "ConfigMap", "argocd-tls-certs-cm":
                manifest["data"] = {git_server.HOST: self.authority.certificate}


def _redis_password(namespace: str) -> Manifest:
    # An init container of Redis would make it; pods that start sooner would fail and wait for their back-off.
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "argocd-redis", "namespace": namespace},
        "stringData": {"auth": secrets.token_urlsafe(16)},
    }


def _default_project(namespace: str) -> Manifest:
    # The API server would create it: everything allowed.
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
