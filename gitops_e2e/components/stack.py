"""The whole stack on one cluster: installed side by side, each part as soon as what it needs is ready."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gitops_e2e.components.adapting import with_environment
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.cert_manager import CertManager
from gitops_e2e.components.charts.charts import MONITORING, Charts
from gitops_e2e.components.component import Component
from gitops_e2e.components.coredns import CoreDNS
from gitops_e2e.components.git_server import GitServer
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.prometheus import Prometheus
from gitops_e2e.components.prometheus_stack import PrometheusStack
from gitops_e2e.components.registry import Registry
from gitops_e2e.components.rollouts import Rollouts
from gitops_e2e.components.sources import Sources
from gitops_e2e.components.workload import WorkloadSubject, has_replaced, is_rolled_out
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import PODS, Kube, Ref
from gitops_e2e.progress import doing
from gitops_e2e.pulling import let_pull
from gitops_e2e.side_by_side import side_by_side
from gitops_e2e.watching.budgets import Budgets
from gitops_e2e.watching.cache import WatchCache
from gitops_e2e.watching.waiting import expect


def components(sources: Sources, images: Images, authority: Authority, kargo: KargoChoice) -> tuple[Component, ...]:
    """All components, those first that the others wait for. Raises NotPulled.

    Those with a chart are installed by it, where the run has it.
    """
    charts = Charts(images.bundle, images.upstream)
    monitoring = charts.find(MONITORING, sources)
    return (
        CoreDNS(sources, images),
        CertManager(sources, images, authority, charts.find("cert-manager", sources)),
        ArgoCD(sources, images, authority, charts.find("argo-cd", sources)),
        Registry(sources, images),
        Rollouts(sources, images, charts.find("argo-rollouts", sources)),
        PrometheusStack(sources, monitoring) if monitoring else Prometheus(sources, images),
        GitServer(sources, images),
        kargo.component(sources, images, authority, charts),
    )


@dataclass(frozen=True)
class Stack:
    """Components on a cluster whose workloads are watched."""

    kube: Kube
    cache: WatchCache
    components: Sequence[Component]
    budgets: Budgets
    outside: RemoteRegistry | None = None
    """A registry that pods are pulled from, instead of from their nodes."""

    def install(self) -> None:
        """Install every component and wait until all are ready. Raises what the first one that fails raises.

        What somebody else installed stays as it is.
        """
        over = {component.name: threading.Event() for component in self.components}
        ready: set[str] = set()

        def install(component: Component) -> None:
            try:
                for need in component.needs:
                    over[need].wait()  # no longer than its installation, each step of which has a budget
                    if need not in ready:
                        return  # it has failed, and its own words are raised
                self._install(component)
                ready.add(component.name)
            finally:
                over[component.name].set()

        tasks = [partial(install, component) for component in self.components]
        side_by_side(tasks, at_most=len(tasks))

    def await_ready(self, component: Component) -> None:
        """Wait until every workload of the component is rolled out. Raises ExpectationFailed."""
        for workload in component.workloads():
            expect(WorkloadSubject(workload, self.cache), is_rolled_out(), within=self.budgets.component_ready)

    def confirm(self) -> None:
        """Raises HarnessError where the cluster has a component from another image than this run would give it."""
        for component in self.components:
            component.confirm(self.kube)

    def await_all_ready(self) -> None:
        """Wait until every component is ready. Raises ExpectationFailed."""
        for component in self.components:
            self.await_ready(component)

    def kill(self, component: Component) -> None:
        """End the component's pods at once, as a crash does, until others have taken their place.

        Raises ExpectationFailed where none do.
        """
        component.require_ours(self.kube)
        pods = self.kube.list(PODS, component.namespace)
        for pod in pods:
            self.kube.delete(Ref.of(pod), grace=0)
        replaced = has_replaced({pod["metadata"]["uid"] for pod in pods})
        for workload in component.workloads():
            expect(WorkloadSubject(workload, self.cache), replaced, within=self.budgets.component_ready)

    def configure(self, component: Component, workload: str, environment: Mapping[str, str]) -> None:
        """Run a workload of the component with these environment variables beside its own; with {}, as installed.

        Its pods are replaced where that is a change. Raises ExpectationFailed, KubeError.
        """
        component.require_ours(self.kube)
        manifests = with_environment(component.manifests(), workload, environment)
        ref = next(each for each in component.workloads() if each.name == workload)
        applied = self.kube.apply(next(each for each in manifests if Ref.of(each) == ref))
        subject = WorkloadSubject(ref, self.cache, generation=int(applied["metadata"]["generation"]))
        expect(subject, is_rolled_out(), within=self.budgets.component_ready)
        component.complete(self.kube, within=self.budgets.component_ready)

    def component(self, name: str) -> Component:
        """The component of that name. Raises HarnessError."""
        for component in self.components:
            if component.name == name:
                return component
        known = ", ".join(component.name for component in self.components)
        raise HarnessError(f"the stack has no component {name}", remedy=f"use one of: {known}")

    def _install(self, component: Component) -> None:
        if component.is_foreign(self.kube):
            apply_all(self.kube, component.beside(), within=self.budgets.component_ready)
            self.await_ready(component)
            return
        with doing(f"installing {component.name}"):
            let_pull(self.kube, component.namespace, self.outside)
            component.install(self.kube, within=self.budgets.component_ready)
            self.await_ready(component)
            component.complete(self.kube, within=self.budgets.component_ready)
