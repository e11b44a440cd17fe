"""One look at a Warehouse at a time: when the next one is due, and what one does after an interruption.

No controller runs here but those that a test starts itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Ref
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.runtime import Controller, Manager, Stores, StoringKube, rfc3339
from gitops_e2e.promoter.warehouses import warehouse_controller
from tests.promoter.warehouses.conftest import Project, conditions, subscription
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node


@pytest.fixture
def alone(admitted: Kube, namespace: str) -> Project:
    return Project(admitted, namespace)


@pytest.fixture
def make_controller(
    apiserver: Path, evaluator: Evaluator, tmp_path: Path
) -> Callable[..., tuple[Controller, StoringKube]]:
    def make(**settings: Any) -> tuple[Controller, StoringKube]:
        kube = StoringKube(apiserver, Stores())
        logins = Logins(kube, "git"), Logins(kube, "image")
        made = warehouse_controller(
            kube, evaluator, git_logins=logins[0], image_logins=logins[1], work_dir=tmp_path / "work", **settings
        )
        return made, kube

    return make


def look(project: Project, controller: Controller, name: str) -> float:
    pause = controller.reconciler.reconcile(project.kube.get(project.ref(name)))
    assert pause is not None
    return pause


def test_the_next_look_is_after_the_longer_interval(
    alone: Project, registry: RegistryServer, make_controller: Any
) -> None:
    repository = f"{alone.name}/api"
    registry.push(repository, "1.0.0")
    patient, _ = make_controller()
    eager, _ = make_controller(minimum_interval=timedelta(seconds=10))
    for name, interval in {"short": "30s", "long": "1h", "default": "5m0s"}.items():
        alone.warehouse(name, subscription(registry, repository), interval=interval)
    assert 290 < look(alone, patient, "short") <= 300
    assert 290 < look(alone, patient, "default") <= 300
    assert 3590 < look(alone, patient, "long") <= 3600
    assert 20 < look(alone, eager, "short") <= 30


def test_what_was_found_is_good_until_it_is_due(alone: Project, registry: RegistryServer, make_controller: Any) -> None:
    repository = f"{alone.name}/api"
    registry.push(repository, "1.0.0")
    controller, _ = make_controller()
    alone.warehouse("due", subscription(registry, repository), interval="1m")
    look(alone, controller, "due")
    registry.push(repository, "1.1.0")
    look(alone, controller, "due")
    assert len(alone.freight("due")) == 1

    set_found_at(alone, "due", datetime.now(UTC) - timedelta(seconds=61))
    look(alone, controller, "due")
    assert [freight["images"][0]["tag"] for freight in alone.freight("due")] == ["1.0.0", "1.1.0"]


def test_deleted_freight_comes_back_from_what_is_known(
    alone: Project, registry: RegistryServer, make_controller: Any
) -> None:
    repository = f"{alone.name}/api"
    registry.push(repository, "1.0.0")
    controller, _ = make_controller()
    alone.warehouse("known", subscription(registry, repository))
    look(alone, controller, "known")
    (freight,) = alone.freight("known")
    alone.kube.delete(Ref.of(freight))
    registry.push(repository, "1.1.0")
    look(alone, controller, "known")
    assert [made["metadata"]["name"] for made in alone.freight("known")] == [freight["metadata"]["name"]]


def test_an_interrupted_look_is_taken_up(alone: Project, registry: RegistryServer, make_controller: Any) -> None:
    """The engine was killed after it had said that it looks, or after it had made the Freight."""
    repository = f"{alone.name}/api"
    registry.push(repository, "1.0.0")
    alone.warehouse("cut-off", subscription(registry, repository))
    first, _ = make_controller()
    look(alone, first, "cut-off")
    begun = {
        "conditions": [
            {
                "type": "Reconciling",
                "status": "True",
                "reason": "ScheduledDiscovery",
                "message": "",
                "lastTransitionTime": rfc3339(datetime.now(UTC)),
            }
        ],
        "discoveredArtifacts": None,
        "observedGeneration": None,
        "lastFreightID": None,
    }
    alone.kube.patch(alone.ref("cut-off"), {"status": begun}, subresource="status")

    controller, kube = make_controller()
    manager = Manager(kube, [controller])
    manager.start()
    try:
        status = alone.until_ready("cut-off")
    finally:
        manager.stop(within=10)
    assert conditions(status).keys() == {"Ready", "Healthy", "FreightCreationCriteriaSatisfied", "FreightCreated"}
    assert conditions(status)["FreightCreated"][1] == "AlreadyExists"
    assert [freight["metadata"]["name"] for freight in alone.freight("cut-off")] == [status["lastFreightID"]]


def test_a_warehouse_that_goes_is_let_go(alone: Project, registry: RegistryServer, make_controller: Any) -> None:
    controller, _ = make_controller()
    alone.warehouse("going", subscription(registry, "nowhere"))
    going = alone.kube.get(alone.ref("going"))
    going["metadata"]["deletionTimestamp"] = rfc3339(datetime.now(UTC))
    assert controller.reconciler.reconcile(going) is None
    assert "status" not in alone.kube.get(alone.ref("going"))


def set_found_at(project: Project, name: str, moment: datetime) -> None:
    change = {"status": {"discoveredArtifacts": {"discoveredAt": rfc3339(moment)}}}
    project.kube.patch(project.ref(name), change, subresource="status")
