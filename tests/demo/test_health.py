"""What `status` says of a Warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from gitops_e2e.account import Account
from gitops_e2e.demo.demo import Demo
from gitops_e2e.demo.ecr import EcrLogin, EcrRepository
from gitops_e2e.demo.health import _warehouse
from gitops_e2e.demo.settings import Settings
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.kargo import WAREHOUSES
from tests.demo.kubes import Applied
from tests.recorded import idle_cache, put

_REPOSITORY = EcrRepository("123456789012", "eu-central-1", "product-api")
_EXPIRED = "its login for"


@pytest.fixture
def demo() -> Demo:
    """A demo that has nothing yet but settings."""
    cache = idle_cache()
    harness = SimpleNamespace(cache=cache, kube=Applied().client, platform=SimpleNamespace(cache=cache))
    settings = Settings(kargo="engine", bundle="", pull="", git_url="", ecr=_REPOSITORY.address)
    return Demo(cast(Harness, harness), settings)


def _put(demo: Demo, status: str, reason: str) -> None:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": "so it is"}
    names = demo.names
    manifest = {"metadata": {"name": names.warehouse}, "status": {"conditions": [condition]}}
    put(demo.harness.cache, WAREHOUSES, names.project, names.warehouse, manifest)


def _let_login_expire(demo: Demo) -> None:
    until = datetime.now(UTC) - timedelta(minutes=1)
    demo.logins.let_kargo_look(_REPOSITORY, EcrLogin(Account("AWS", "hush"), "https://registry", until))


def test_one_that_is_gone_is_trouble_and_an_expired_login_is_told_beside_it(demo: Demo) -> None:
    _let_login_expire(demo)

    stands, *wrong = _warehouse(demo)

    assert stands == "there is no such Warehouse"
    assert wrong[0] == "there is none"
    assert wrong[1].startswith(_EXPIRED)


def test_one_that_is_looking_is_well_but_for_an_expired_login(demo: Demo) -> None:
    _put(demo, "False", "DiscoveryInProgress")
    stands, *wrong = _warehouse(demo)
    assert (stands.startswith("it is looking"), wrong) == (True, [])

    _let_login_expire(demo)
    _, told = _warehouse(demo)
    assert told.startswith(_EXPIRED)


def test_one_that_could_not_look_is_trouble(demo: Demo) -> None:
    _put(demo, "False", "DiscoveryFailure")

    stands, wrong = _warehouse(demo)

    assert (stands, "DiscoveryFailure" in wrong) == ("discovered nothing", True)
