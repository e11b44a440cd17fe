"""A cluster with the whole stack on it, watched: what scenarios run on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gitops_e2e.account import Account
from gitops_e2e.cache import Cache
from gitops_e2e.clusters import providers
from gitops_e2e.clusters.existing import preflight
from gitops_e2e.clusters.existing.reach import require_images
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.component import KARGO
from gitops_e2e.components.git_server import Repositories
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.prometheus import NODE_PORT as PROMETHEUS_PORT
from gitops_e2e.components.registry import ImageRepositories, at_node_port
from gitops_e2e.components.sources import Sources
from gitops_e2e.components.stack import Stack, components
from gitops_e2e.components.workload import RESOURCES as WORKLOADS
from gitops_e2e.components.workload import untold
from gitops_e2e.evidence.knowledge import of_kubeconfig
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.evidence.secrets import SECRETS, learning
from gitops_e2e.images import Images
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube
from gitops_e2e.pipeline import removal
from gitops_e2e.pipeline.metric import Prometheus
from gitops_e2e.pipeline.names import SERVICE
from gitops_e2e.pipeline.pipeline import BASELINE
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.progress import doing, say
from gitops_e2e.pulling import PULLING
from gitops_e2e.supply import Supply
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching.budgets import Budgets
from gitops_e2e.watching.cache import WatchCache

_KARGO_CONTROLLER = "kargo-controller"


@dataclass(frozen=True)
class Harness:
    """Everything that is there once and for all scenarios of a run."""

    cluster: Cluster
    kube: Kube
    cache: WatchCache
    stack: Stack
    toolchain: Toolchain
    images: Images
    authority: Authority
    budgets: Budgets
    redact: Redactor
    """Knows all secrets of the cluster."""

    @staticmethod
    def start(provider: Provider, name: str, budgets: Budgets, supply: Supply) -> Harness:
        """Take this machine from what it is to a cluster with the stack ready. What was begun ends on an error."""
        toolchain = Toolchain(Cache.of_user())
        images = supply.images(toolchain, provider.name)
        with doing(f"starting cluster {name} ({provider.name})"):
            cluster = provider.start(name, images, toolchain)
        with ExitStack() as undoing:
            undoing.callback(cluster.delete)
            harness = _on(cluster, toolchain, images, budgets, supply.kargo)
            undoing.callback(harness.detach)
            if cluster.labels:
                harness.look_before()
            with doing("installing the stack"):
                harness.stack.install()
            if cluster.labels:
                harness.look_at_registry()
                for left in removal.sweep(harness.kube, harness.repositories):
                    say(f"  removed pipeline {left}, which a run before had left")
            say(f"  cluster {cluster.name}: NodePorts at {cluster.address}, kubeconfig {cluster.kubeconfig}")
            undoing.pop_all()
        return harness

    @staticmethod
    def find(name: str, budgets: Budgets, supply: Supply) -> Harness:
        """A cluster that runs already, however its stack is; it is not owned. Raises HarnessError."""
        toolchain = Toolchain(Cache.of_user())
        cluster = providers.attach(name, toolchain)
        return _on(cluster, toolchain, supply.images(toolchain, cluster.provider), budgets, supply.kargo)

    @staticmethod
    def attach(name: str, budgets: Budgets, supply: Supply) -> Harness:
        """A cluster that runs already, with the stack on it; it is not owned. Raises what is not ready, or another."""
        harness = Harness.find(name, budgets, supply)
        with harness.detached_on_error():
            harness.stack.confirm()
            harness.stack.await_all_ready()
        return harness

    @staticmethod
    def reuse(name: str, budgets: Budgets, supply: Supply) -> Harness:
        """The same for the process that a run belongs to, with all as installed that a killed one may have changed.

        Pipelines that a killed one left are removed.
        """
        harness = Harness.attach(name, budgets, supply)
        with harness.detached_on_error():
            harness.reach()
            harness.configure_kargo({})
            for left in removal.sweep_abandoned(harness.kube, harness.repositories):
                say(f"  removed pipeline {left}, which a run before had left")
        return harness

    def look_before(self) -> None:
        """Tell what others have on the cluster and what is done about it. Raises PreflightRefused."""
        rows = preflight.examine(self.kube, self.stack.components)
        for line in preflight.table(rows):
            say(f"  {line}")
        preflight.require(rows, where=self.kube.host)
        self.reach()
        ours = [name for name in self.images.names if name.partition(":")[0] != SERVICE]
        remedy = "load the images into the nodes first, or give --registry URL (docs/existing.md)"
        if self.outside:
            remedy = f"let the nodes pull from {self.outside.place}, with --registry-login FILE if it asks for a login"
            with doing(f"pushing the stack's images to {self.outside.place}"):
                self.images.push(ours, self.outside)
        with doing("asking the nodes for the stack's images"):
            require_images(self.kube, [self.images.reference(name) for name in ours], self.outside, remedy=remedy)

    def reach(self) -> None:
        """Let NodePorts answer, and tell how they do. Raises HarnessError."""
        ports = {port for component in self.stack.components for port in component.node_ports()}
        say(f"  NodePorts are reached {self.cluster.reach(ports)}")

    def look_at_registry(self) -> None:
        """Let the nodes pull what pipelines run from the registry in the cluster. Raises PreflightRefused."""
        names = self.platform.names("preflight")
        self.platform.images.publish(names.image_path(), SERVICE, BASELINE)
        with doing(f"asking the nodes to pull from {names.registry}"):
            require_images(
                self.kube,
                [f"{names.image_repository()}:{BASELINE}"],
                self.outside,
                pulled=True,
                remedy=f"let the nodes' runtime find {names.registry} (docs/existing.md)",
            )

    @property
    def outside(self) -> RemoteRegistry | None:
        """The registry outside of the cluster that has all images, where there is one."""
        return self.images.outside

    @property
    def registry(self) -> RemoteRegistry:
        """The registry that pipelines have their images in, as this machine reaches it."""
        return self.outside or at_node_port(self.cluster.address)

    @property
    def platform(self) -> Platform:
        """What pipelines are made on."""
        return Platform(
            kube=self.kube,
            cache=self.cache,
            address=self.cluster.address,
            repositories=self.repositories,
            images=ImageRepositories(self.images, self.registry),
            account=self.account,
            trusts_git=not self.stack.component(ArgoCD.name).is_foreign(self.kube),
            kustomize=self.toolchain.binary("kustomize"),
            scratch=self.cluster.scratch,
            outside=self.outside,
        )

    @property
    def prometheus(self) -> Prometheus:
        """The stack's Prometheus, at its NodePort."""
        return Prometheus(f"http://{self.cluster.address}:{PROMETHEUS_PORT}")

    @property
    def repositories(self) -> Repositories:
        """The Git server's repositories."""
        return Repositories(self.kube, self.cluster.address, self.account)

    @property
    def account(self) -> Account:
        """The account for the stack's private repositories."""
        return Account.of(self.kube)

    def configure_kargo(self, environment: Mapping[str, str]) -> None:
        """Run Kargo's controller with these of its environment variables; with {}, as installed."""
        self.stack.configure(self.stack.component(KARGO), _KARGO_CONTROLLER, environment)

    @property
    def not_run(self) -> tuple[str, ...]:
        """What the demo's installation has and this one has not."""
        return Charts(self.images.bundle, self.images.upstream).not_run()

    def kubernetes_version(self) -> str:
        """The version that the API server reports: "v1.34.4"."""
        return str(json.loads(self.kube.raw("/version"))["gitVersion"])

    def detach(self) -> None:
        """Stop watching; the cluster goes on."""
        self.cache.close()

    @contextmanager
    def detached_on_error(self) -> Iterator[None]:
        """Stop watching where what is done in the block fails, as nobody has the harness then."""
        try:
            yield
        except BaseException:
            self.detach()
            raise

    def keep(self) -> None:
        """Stop watching, and let the cluster outlive this process."""
        self.detach()
        self.cluster.keep()

    def delete(self) -> None:
        """End the cluster and everything on it."""
        self.detach()
        ending = "letting go of" if self.cluster.labels else "deleting"
        with doing(f"{ending} cluster {self.cluster.name}"):
            self.cluster.delete()


def _on(cluster: Cluster, toolchain: Toolchain, images: Images, budgets: Budgets, kargo: KargoChoice) -> Harness:
    logins = images.outside and images.outside.logins
    kube = Kube(cluster.kubeconfig, labels=cluster.labels, pull_secret=PULLING if logins else "")
    redactor = Redactor.of_environment()
    redactor.learn(of_kubeconfig(cluster.kubeconfig.read_text()))
    stories = {**STORIES, **dict.fromkeys(WORKLOADS, untold), SECRETS: learning(redactor)}
    cache = WatchCache(kube, stories)
    authority = Authority.of(kube)
    parts = components(Sources(toolchain.cache, toolchain), images, authority, kargo)
    stack = Stack(kube, cache, parts, budgets, images.outside)
    cache.start()  # last: nothing that fails leaves watches behind
    return Harness(cluster, kube, cache, stack, toolchain, images, authority, budgets, redactor)
