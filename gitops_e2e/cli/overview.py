"""What there is to see of a demo: where it answers, what runs where, how to go on."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from gitops_e2e.cli.terminal import table
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.git_server import NODE_PORT as GIT_PORT
from gitops_e2e.components.prometheus import NODE_PORT as PROMETHEUS_PORT
from gitops_e2e.components.prometheus import Prometheus
from gitops_e2e.components.prometheus_stack import GRAFANA_PORT
from gitops_e2e.components.registry import NODE_PORT as REGISTRY_PORT
from gitops_e2e.components.stack import Stack
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.naming import command
from gitops_e2e.pipeline.names import STAGES, PipelineNames

_ARGO_CD_SERVER = "argocd-server"


def show(demo: Demo, console: Console) -> None:
    """Print it."""
    cluster = demo.harness.cluster
    console.print(f"cluster {cluster.name} ({cluster.provider}), Kubernetes {demo.harness.kubernetes_version()}\n")
    console.print(_endpoints(demo), "")
    console.print(_components(demo), "")
    for line in _next(demo):
        console.print(line, soft_wrap=True)


def _endpoints(demo: Demo) -> object:
    host, names = demo.harness.cluster.address, demo.names
    rows = table("WHAT", "WHERE")
    for stage in STAGES:
        rows.add_row(stage, f"{demo.endpoint(stage).url}/health  (also /products, /metrics)")
    rows.add_row("Git", names.git_url or f"http://{host}:{GIT_PORT}/{names.repository}.git")
    rows.add_row(
        "images", names.service_repository or f"http://{host}:{REGISTRY_PORT}/v2/{names.image_path()}/tags/list"
    )
    for what, where in uis(demo.harness.stack, host, names):
        rows.add_row(what, where)
    rows.add_row(
        "Kargo", f"no UI: its API server is not installed; kubectl -n {names.project} get stages,freight,promotions"
    )
    rows.add_row("kubeconfig", f"export KUBECONFIG={demo.harness.cluster.kubeconfig}")
    return rows


def uis(stack: Stack, host: str, names: PipelineNames) -> Iterator[tuple[str, str]]:
    """Where there is a UI of what is installed, and what to do where there is none."""
    yield "Prometheus", f"http://{host}:{PROMETHEUS_PORT}/graph"
    if GRAFANA_PORT in stack.component(Prometheus.name).node_ports():
        yield "Grafana", f"http://{host}:{GRAFANA_PORT}"
    applications = " ".join(map(names.application, STAGES))
    yield "Argo CD", f"{_argo_cd(stack)}; kubectl -n argocd get applications {applications}"


def _argo_cd(stack: Stack) -> str:
    component = stack.component(ArgoCD.name)
    if component.is_foreign(stack.kube):
        return "as somebody else has installed it"
    if _ARGO_CD_SERVER in [ref.name for ref in component.workloads()]:
        return f"kubectl -n argocd port-forward service/{_ARGO_CD_SERVER} 8080:443, then https://localhost:8080"
    return "no UI: its core alone is installed"


def _components(demo: Demo) -> object:
    rows = table("COMPONENT", "VERSION", "NAMESPACE", "RUNS AS")
    for each in demo.harness.stack.components:
        workloads = ", ".join(f"{ref.kind} {ref.name}" for ref in each.workloads())
        rows.add_row(each.name, each.pinned(), each.namespace, workloads)
    for stage in STAGES:
        rows.add_row(f"product-api ({stage})", "", demo.names.namespace(stage), f"Rollout {demo.names.rollout}")
    return rows


def _next(demo: Demo) -> Iterator[str]:
    name = demo.harness.cluster.name
    yield "Kargo takes each new release to dev and, once dev has proven it, to staging; prod is promoted by hand:"
    purposes = {
        "watch dev": "a rollout's progress, live",
        "status": "what is healthy, and what is not",
        "promote prod": "the newest Freight",
        "down": "the end of it all",
    }
    commands = {command(words, name): purpose for words, purpose in purposes.items()}
    width = max(map(len, commands))
    yield from (f"  {line:<{width}}  # {purpose}" for line, purpose in commands.items())
