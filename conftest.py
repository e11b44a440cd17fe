"""Options of the suite, and where its fixtures and steps are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fixtures import ownership
from gitops_e2e.clusters.where import CHOICES
from gitops_e2e.components.kargo import CHOICES as KARGO_CHOICES
from gitops_e2e.watching.budgets import Budgets

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

pytest_plugins = [
    "fixtures.run_folder",
    "fixtures.reporting",
    "fixtures.recording",
    "fixtures.concurrency",
    "fixtures.removals",
    "fixtures.publishing",
    "fixtures.evidence",
    "fixtures.platform",
    "fixtures.pipeline",
    "fixtures.project",
    "fixtures.disturbances",
    "fixtures.settings",
    "fixtures.observing",
    "fixtures.recovery",
    "steps.admission",
    "steps.analysis",
    "steps.application",
    "steps.approval",
    "steps.certificate",
    "steps.component",
    "steps.credentials",
    "steps.endpoint",
    "steps.engine",
    "steps.faults",
    "steps.freight",
    "steps.judgement",
    "steps.load",
    "steps.manifests",
    "steps.metric",
    "steps.pipeline",
    "steps.probe",
    "steps.project",
    "steps.promotion",
    "steps.registry",
    "steps.repository",
    "steps.rollout",
    "steps.selection",
    "steps.stage",
    "steps.verification",
    "steps.warehouse",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gitops-e2e", "where the scenarios run")
    group.addoption(
        "--cluster",
        choices=CHOICES,
        default="auto",
        help="what provides the cluster: the Docker-free node, kind, or one that exists (auto: the node, else kind)",
    )
    group.addoption(
        "--cluster-name", metavar="NAME", help="name of the cluster that is made (default: one of its own for each run)"
    )
    group.addoption(
        "--keep-cluster",
        action="store_true",
        help="leave the cluster running after the run, for --reuse-cluster or to look at",
    )
    group.addoption("--reuse-cluster", metavar="NAME", help="run on a cluster that an earlier run kept")
    group.addoption("--kubeconfig", metavar="FILE", help="where the cluster is, for --cluster existing")
    group.addoption("--context", metavar="NAME", help="which context of --kubeconfig (default: its current one)")
    group.addoption(
        "--yes-i-mean-it",
        metavar="CONTEXT",
        help="use the cluster of this very context although neither kind nor this harness made it",
    )
    group.addoption(
        "--uninstall",
        action="store_true",
        help="run nothing; remove from --cluster existing what runs have installed and made there",
    )
    group.addoption(
        "--registry",
        metavar="URL",
        help="a registry that the nodes of --cluster existing can pull from, and this machine can push to",
    )
    group.addoption(
        "--registry-login", metavar="FILE", help="the login for --registry, in a file as `docker login` writes it"
    )
    group.addoption(
        "--kargo",
        choices=KARGO_CHOICES,
        default="auto",
        help="Kargo itself, or the promotion engine in its place (auto: Kargo where its image and chart can be had)",
    )
    group.addoption(
        "--bundle",
        metavar="DIR",
        default=os.environ.get("GITOPS_E2E_BUNDLE"),
        help="folder of image archives and Helm charts, used before anything is built (default: $GITOPS_E2E_BUNDLE)",
    )
    group.addoption("--pull", action="store_true", help="pull what is neither in the bundle nor built here")
    group.addoption(
        "--budget",
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help="allow more or less time for one kind of wait; names: " + ", ".join(Budgets.names()),
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    return ownership.uninstall(config) if config.getoption("--uninstall") else None


def pytest_configure(config: pytest.Config) -> None:
    ownership.check_options(config)


def pytest_configure_node(node: WorkerController) -> None:
    ownership.share_with_worker(node)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    ownership.end(config)
