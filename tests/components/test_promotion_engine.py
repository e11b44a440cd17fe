"""The promotion engine as a component: what is installed fits together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.promotion_engine import PromotionEngine
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission.requesters import CONTROL_PLANE
from gitops_e2e.promoter.api import crds
from gitops_e2e.toolchain import Toolchain


@pytest.fixture
def engine(tmp_path: Path) -> PromotionEngine:
    cache = Cache(tmp_path)
    toolchain = Toolchain(cache)
    return PromotionEngine(Sources(cache, toolchain), Images(cache, toolchain), Authority.create())


@pytest.fixture
def manifests(engine: PromotionEngine) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in engine.manifests():
        found.setdefault(manifest["kind"], []).append(manifest)
    return found


def pod(manifests: dict[str, list[Manifest]]) -> dict[str, Any]:
    [deployment] = manifests["Deployment"]
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def test_all_kinds_are_defined(manifests: dict[str, list[Manifest]]) -> None:
    assert len(manifests["CustomResourceDefinition"]) == len(crds.manifests())


def test_the_webhooks_know_the_engine_by_its_account(manifests: dict[str, list[Manifest]]) -> None:
    [account] = manifests["ServiceAccount"]
    user = f"system:serviceaccount:{account['metadata']['namespace']}:{account['metadata']['name']}"
    assert CONTROL_PLANE.fullmatch(user)
    assert pod(manifests)["serviceAccountName"] == account["metadata"]["name"]


def test_the_api_server_asks_where_the_engine_serves(manifests: dict[str, list[Manifest]]) -> None:
    [service] = manifests["Service"]
    [certificate] = manifests["Certificate"]
    where = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert certificate["spec"]["dnsNames"] == [where]
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        for webhook in manifests[kind][0]["webhooks"]:
            asked = webhook["clientConfig"]["service"]
            assert f"{asked['name']}.{asked['namespace']}.svc" == where
            assert webhook["failurePolicy"] == "Fail"


def test_everything_that_is_mounted_is_there(manifests: dict[str, list[Manifest]]) -> None:
    secrets = {each["spec"]["secretName"] for each in manifests["Certificate"]}
    configs = {each["metadata"]["name"] for each in manifests["ConfigMap"]}
    volumes = {each["name"]: each for each in pod(manifests)["volumes"]}
    assert volumes["tls"]["secret"]["secretName"] in secrets
    assert volumes["trust"]["configMap"]["name"] in configs
    [container] = pod(manifests)["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)


def test_it_says_which_kargo_it_stands_for(engine: PromotionEngine) -> None:
    assert engine.pinned() == "engine 0.1.0 (Kargo 1.8.4 API)"
