"""Where `up` says that there is a UI, by what is installed."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from gitops_e2e.cli.overview import uis
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.component import Component
from gitops_e2e.components.prometheus import Prometheus
from gitops_e2e.components.stack import Stack
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from gitops_e2e.watching import Budgets, WatchCache


@dataclass
class Part(Component):
    """A component of Deployments, and Services at NodePorts."""

    name: str  # type: ignore[misc]
    deployments: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    namespace: str = field(default="parts")  # type: ignore[misc]

    def manifests(self) -> list[Manifest]:
        deployments = [_named("apps/v1", "Deployment", name) for name in self.deployments]
        services = [{**_named("v1", "Service", "at"), "spec": {"ports": [{"nodePort": port}]}} for port in self.ports]
        return [*deployments, *services]


def _named(version: str, kind: str, name: str) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "parts"}}


def _uis(argo_cd: tuple[str, ...], ports: tuple[int, ...], *, foreign: bool = False) -> dict[str, str]:
    def find_foreign(ref: Ref) -> Manifest | None:
        return {} if ref.name in argo_cd else None

    kube = cast(Kube, SimpleNamespace(labels={"run": "one"} if foreign else {}, find_foreign=find_foreign))
    parts = [Part(ArgoCD.name, deployments=argo_cd), Part(Prometheus.name, ports=ports)]
    stack = Stack(kube, cast(WatchCache, None), parts, Budgets())
    return dict(uis(stack, "10.0.0.1", PipelineNames(DEMO)))


def test_the_core_of_argo_cd_has_none_and_there_is_no_grafana() -> None:
    told = _uis(("argocd-repo-server",), (30090,))

    assert told["Prometheus"] == "http://10.0.0.1:30090/graph"
    assert "Grafana" not in told
    assert told["Argo CD"].startswith("no UI: its core alone is installed; kubectl -n argocd get applications")


def test_upstream_charts_bring_that_of_argo_cd_and_grafana() -> None:
    told = _uis(("argocd-repo-server", "argocd-server"), (30090, 30091))

    assert told["Grafana"] == "http://10.0.0.1:30091"
    assert told["Argo CD"].startswith("kubectl -n argocd port-forward service/argocd-server 8080:443")


def test_of_somebody_elses_argo_cd_nothing_is_known() -> None:
    assert _uis(("argocd-repo-server",), (), foreign=True)["Argo CD"].startswith("as somebody else has installed it")
