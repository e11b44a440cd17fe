"""The Warehouse controller on a real API server with the engine's webhooks, a real registry, real Git repositories."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION, FREIGHTS
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.runtime import Manager, Stores, StoringKube
from gitops_e2e.promoter.warehouses import warehouse_controller
from tests.promoter.warehouses.git_repository import GitRepository
from tests.promoter.warehouses.registry_server import RegistryServer

WAIT = 20.0


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    server = RegistryServer(tmp_path_factory.mktemp("registry"))
    server.start()
    yield server
    server.stop()


def until(description: str, holds: Callable[[], Any]) -> Any:
    """What the function gives, once that is something."""
    deadline = time.monotonic() + WAIT
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited in vain: {description}"
        time.sleep(0.02)
    return found


def conditions(status: Manifest) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message by type."""
    return {entry["type"]: (entry["status"], entry["reason"], entry["message"]) for entry in status["conditions"]}


def subscription(registry: RegistryServer, repository: str, **fields: Any) -> Manifest:
    """A subscription to an image repository."""
    return {"image": {"repoURL": f"{registry.host}/{repository}", **fields}}


@dataclass
class Project:
    """A Project whose Warehouses the engine reconciles."""

    kube: Kube
    name: str

    def warehouse(self, name: str, *subscriptions: Manifest, **spec: Any) -> None:
        self.kube.create(
            {
                "apiVersion": API_VERSION,
                "kind": "Warehouse",
                "metadata": {"name": name, "namespace": self.name},
                "spec": {"subscriptions": list(subscriptions), **spec},
            }
        )

    def ref(self, name: str) -> Ref:
        return Ref(API_VERSION, "Warehouse", name, self.name)

    def status(self, name: str) -> Manifest:
        found: Manifest = self.kube.get(self.ref(name)).get("status", {})
        return found

    def until_ready(self, name: str, reason: str = "ArtifactsDiscovered") -> Manifest:
        """The status in which Ready has a reason."""
        status: Manifest = until(f"{name} {reason}", lambda: self._with_reason(name, reason))
        return status

    def _with_reason(self, name: str, reason: str) -> Manifest | None:
        status = self.status(name)
        ready = [entry for entry in status.get("conditions", []) if entry["type"] == "Ready"]
        return status if ready and ready[0]["reason"] == reason else None

    def refresh(self, name: str, token: str) -> Manifest:
        """The status once a request to look again was followed."""
        change = {"metadata": {"annotations": {"kargo.akuity.io/refresh": token}}}
        self.kube.patch(self.ref(name), change)
        until(f"{name} refreshed", lambda: self.status(name).get("lastHandledRefresh") == token)
        return self.status(name)

    def freight(self, warehouse: str) -> list[Manifest]:
        """The Freight of a Warehouse, in the order of its making."""
        found = [freight for freight in self.kube.list(FREIGHTS, self.name) if freight["origin"]["name"] == warehouse]
        return sorted(found, key=lambda freight: int(freight["metadata"]["resourceVersion"]))


@pytest.fixture(scope="module")
def controller(
    apiserver: Path, admitted: Kube, evaluator: Evaluator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kube]:
    """The engine's Warehouse controller at work, behind its admission webhooks."""
    kube = StoringKube(apiserver, Stores())
    work_dir = tmp_path_factory.mktemp("work")
    warehouses = warehouse_controller(
        kube,
        evaluator,
        git_logins=Logins(kube, "git", over_http=True),
        image_logins=Logins(kube, "image"),
        work_dir=work_dir,
    )
    manager = Manager(kube, [warehouses])
    manager.start()
    yield admitted
    manager.stop(within=10)
    assert not list(work_dir.iterdir()), "a clone was left"


@pytest.fixture
def project(controller: Kube, namespace: str) -> Project:
    return Project(controller, namespace)


@pytest.fixture
def new_repository(git_server: Any, tmp_path: Path) -> Callable[[], tuple[GitRepository, str]]:
    """Makes repositories; gives each and its URL."""
    numbers = count(1)

    def make() -> tuple[GitRepository, str]:
        name = f"{tmp_path.name}-{next(numbers)}"
        return GitRepository(git_server.root, name, tmp_path / name), f"{git_server.url}/{name}.git"

    return make
