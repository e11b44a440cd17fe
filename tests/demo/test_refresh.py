"""`credentials refresh`: the login that expires is replaced by one that opens the registry, or by none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from gitops_e2e.account import Account
from gitops_e2e.cli import credentials
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.ecr import EcrLogin, EcrRepository
from gitops_e2e.demo.errors import LoginMissing
from gitops_e2e.demo.logins import Logins
from gitops_e2e.pipeline.kargo import WAREHOUSES
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from gitops_e2e.pipeline.warehouse import WatchedWarehouse
from gitops_e2e.watching import Budgets, ExpectationFailed, WatchCache
from tests.demo.kubes import Applied
from tests.recorded import idle_cache, put

_REPOSITORY = EcrRepository("123456789012", "eu-central-1", "product-api")
_NAMES = PipelineNames(DEMO, service_repository=_REPOSITORY.address)
_OLD = Account("AWS", "the-old-token")


@dataclass
class Scene:
    """A demo whose login has expired, with what its cluster has."""

    kube: Applied = field(default_factory=Applied)
    cache: WatchCache = field(default_factory=idle_cache)

    def __post_init__(self) -> None:
        expired = EcrLogin(_OLD, "https://registry", datetime.now(UTC) - timedelta(minutes=1))
        self.logins.let_kargo_look(_REPOSITORY, expired)
        self.logins.let_stages_pull(_REPOSITORY, expired)

    @property
    def logins(self) -> Logins:
        return Logins(self.kube.client, _NAMES)

    @property
    def demo(self) -> Demo:
        project = SimpleNamespace(look=lambda: WatchedWarehouse(self.cache, _NAMES))
        budgets = Budgets(freight_found=0.1)
        return cast(Demo, SimpleNamespace(logins=self.logins, project=project, budgets=budgets))

    def let_warehouse_be(self, ready: str, reason: str) -> None:
        condition = {"type": "Ready", "status": ready, "reason": reason, "message": "so it is"}
        manifest = {"metadata": {"name": _NAMES.warehouse}, "status": {"conditions": [condition]}}
        put(self.cache, WAREHOUSES, _NAMES.project, _NAMES.warehouse, manifest)

    @property
    def password(self) -> str:
        secret = self.kube.objects["Secret", _NAMES.project, "ecr-login"]
        return str(secret["stringData"]["password"])

    def pulls_with(self, stage: str) -> str:
        secret = self.kube.objects["Secret", _NAMES.namespace(stage), "ecr-pull"]
        return str(secret["stringData"][".dockerconfigjson"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def _registry_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """ECR's API is moto's; the registry that its login is for, it does not have."""
    monkeypatch.setattr(credentials, "log_in_to", EcrRepository.log_in)


@pytest.mark.usefixtures("aws", "_registry_lets_in")
def test_everything_that_pulls_gets_the_new_login(scene: Scene) -> None:
    scene.let_warehouse_be("True", "ReconcileSuccess")

    until, warehouse = credentials.renew(scene.demo, _REPOSITORY)

    assert scene.password not in {"", _OLD.password}
    assert all(_OLD.password not in scene.pulls_with(stage) for stage in ("dev", "staging", "prod"))
    assert scene.logins.held_until() == until
    assert warehouse.ready.status == "True"


@pytest.mark.usefixtures("aws", "_registry_lets_in")
def test_a_warehouse_that_is_still_refused_is_told(scene: Scene) -> None:
    scene.let_warehouse_be("False", "DiscoveryFailure")

    with pytest.raises(ExpectationFailed, match="DiscoveryFailure"):
        credentials.renew(scene.demo, _REPOSITORY)


def test_nothing_is_replaced_where_there_is_no_new_login(scene: Scene) -> None:
    with pytest.raises(LoginMissing):
        credentials.renew(scene.demo, _REPOSITORY)

    assert scene.password == _OLD.password
