"""The demo: the pipeline as its manifests have it, with Kargo's Project, on a cluster that stays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from gitops_e2e.cache import Cache
from gitops_e2e.clusters import providers
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.errors import ExistingNotFound
from gitops_e2e.clusters.existing.uninstalling import uninstall
from gitops_e2e.clusters.kind.cluster import Kind
from gitops_e2e.clusters.kind.errors import ClusterNotFound
from gitops_e2e.clusters.node.errors import NodeNotFound
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.demo.ecr import EcrLogin
from gitops_e2e.demo.errors import NoDemo
from gitops_e2e.demo.given import Given
from gitops_e2e.demo.logins import Logins
from gitops_e2e.demo.naming import command
from gitops_e2e.demo.settings import Settings
from gitops_e2e.harness import Harness
from gitops_e2e.kube import Kube
from gitops_e2e.pipeline.application import WatchedApplication
from gitops_e2e.pipeline.endpoint import Endpoint
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.node_ports import DEMO_PORTS
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.rollout import WatchedRollout
from gitops_e2e.progress import doing
from gitops_e2e.supply import Supply
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching import Budgets, Snapshot

_FIRST_LOOK = 10.0


@dataclass(frozen=True)
class Demo:
    """A demo that is complete: its cluster, watched, and what it was brought up with."""

    harness: Harness
    settings: Settings

    @staticmethod
    def start(
        provider: Provider, name: str, budgets: Budgets, supply: Supply, *, given: Given, login: EcrLogin | None
    ) -> Demo:
        """Take this machine from what it is to a demo that stays. What was begun ends on an error or an interrupt."""
        harness = Harness.start(provider, name, budgets, supply)
        try:
            demo = Demo(harness, Settings.of(supply, given))
            demo._deploy(given, login)
            demo.settings.keep(harness.kube)
            harness.cluster.keep()
        except BaseException:
            harness.delete()
            raise
        return demo

    @staticmethod
    def find(name: str, budgets: Budgets) -> Demo | None:
        """The demo of that name, however it is, if there is one. Raises NoDemo for a cluster that has none."""
        cluster = _cluster(name)
        if cluster is None:
            return None
        cluster.check()
        settings = Settings.find(Kube(cluster.kubeconfig))
        if settings is None:
            raise NoDemo(
                f"cluster {name} is there, and has no complete demo",
                where=str(cluster.kubeconfig),
                remedy="wait for the command that is at it; or end it with `down`, or use another --name",
            )
        harness = Harness.find(name, budgets, settings.supply)
        if cluster.labels:
            harness.reach()
        return Demo(harness, settings)

    @staticmethod
    def get(name: str, budgets: Budgets) -> Demo:
        """The demo of that name. Raises NoDemo."""
        demo = Demo.find(name, budgets)
        if demo is None:
            raise NoDemo(f"there is no demo called {name}", remedy=f"bring it up with `{command('up', name)}`")
        return demo

    @staticmethod
    def end(name: str) -> bool:
        """End the cluster of that name and everything on it, and sweep what killed ones left; whether there was one.

        Of a cluster that is somebody else's, what is ours is removed, also where the command that was at it was killed.
        """
        cluster = _cluster(name) or Existing.left(name)
        if cluster and cluster.labels:
            with doing(f"uninstalling from {name}"):
                uninstall(Kube(cluster.kubeconfig, labels=cluster.labels))
        if cluster:
            with doing(f"{'letting go of' if cluster.labels else 'deleting'} cluster {name}"):
                cluster.delete()
        Node.sweep()
        Kind.sweep()
        return cluster is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Look at it no longer; it stays."""
        self.harness.detach()

    def seen(self) -> Snapshot:
        """What there is, once the API server has told all of it. Raises WatchBroken."""
        return self.harness.cache.seen(within=_FIRST_LOOK)

    # --- its parts

    @property
    def names(self) -> PipelineNames:
        """The pipeline's names."""
        return self.settings.names

    @property
    def budgets(self) -> Budgets:
        """How long anything may take."""
        return self.harness.budgets

    @property
    def project(self) -> Project:
        """Kargo's Project."""
        return Project(self.names, self.harness.platform)

    @property
    def logins(self) -> Logins:
        """The Secrets that hold its logins, if it needs any."""
        return Logins(self.harness.kube, self.names)

    def rollout(self, stage: str) -> WatchedRollout:
        """The stage's Rollout, as it is."""
        return WatchedRollout(self.harness.cache, self.names.namespace(stage), self.names.rollout, after=0)

    def application(self, stage: str) -> WatchedApplication:
        """The stage's Application, as it is."""
        names = self.names
        return WatchedApplication(self.harness.cache, names.application(stage), names.namespace(stage), revision=None)

    def endpoint(self, stage: str) -> Endpoint:
        """The stage's stable service, at its NodePort."""
        return Endpoint(f"http://{self.harness.cluster.address}:{DEMO_PORTS[stage]}")

    # --- inside

    def _deploy(self, given: Given, login: EcrLogin | None) -> None:
        platform = given.platform(self.harness.platform)
        if given.ecr and login:
            self.logins.let_stages_pull(given.ecr, login)
        with doing("deploying dev, staging and prod"):
            Pipeline.create(platform, self.names).await_baseline(self.budgets)
        with doing("making Kargo's Project"):
            project = Project.create(platform, self.names)
            if given.git:
                self.logins.let_kargo_push(given.git.account)
            if given.ecr and login:
                self.logins.let_kargo_look(given.ecr, login)
            project.look()


def _cluster(name: str) -> Cluster | None:
    with suppress(NodeNotFound, ClusterNotFound, ExistingNotFound):
        return providers.attach(name, Toolchain(Cache.of_user()))
    return None
