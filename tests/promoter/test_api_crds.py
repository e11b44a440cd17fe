"""The definitions against a real API server: what they keep, what they default, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_e2e.kube import Kube, KubeError, Manifest, Ref
from gitops_e2e.promoter.api import crds
from gitops_e2e.promoter.api.kinds import API_VERSION

pytestmark = pytest.mark.node

RECORDED = Path(__file__).parent / "recordings/objects"


def recorded_objects() -> list[Manifest]:
    """Objects of all kinds that Kargo 1.8.4 left, each kind's first few."""
    files = sorted(RECORDED.glob("**/*.json"))
    found = [manifest for file in files for manifest in json.loads(file.read_text())]
    return [manifest for manifest in found if manifest["apiVersion"] == API_VERSION]


def without_what_the_server_sets(manifest: Manifest) -> Manifest:
    kept = ("labels", "annotations", "name")
    metadata = {key: manifest["metadata"][key] for key in kept if manifest["metadata"].get(key)}
    return {**manifest, "metadata": metadata}


def refused(kube: Kube, namespace: str, kind: str, spec: Manifest) -> str:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": "wrong", "namespace": namespace},
        "spec": spec,
    }
    with pytest.raises(KubeError) as error:
        kube.create(manifest)
    return error.value.message


def image(**fields: object) -> Manifest:
    return {"subscriptions": [{"image": {"repoURL": "registry.local/product-api", **fields}}]}


@pytest.mark.parametrize("recorded", recorded_objects(), ids=lambda m: f"{m['kind']}-{m['metadata']['name']}")
def test_recorded_objects_are_kept_whole(kube: Kube, namespace: str, recorded: Manifest) -> None:
    manifest = without_what_the_server_sets(recorded)
    if recorded["metadata"].get("namespace"):
        manifest["metadata"]["namespace"] = namespace
    else:
        manifest["metadata"]["name"] = namespace  # as free as that
    ref = Ref.of(manifest)
    kube.create(manifest)
    if "status" in manifest:
        kube.patch(ref, {"status": manifest["status"]}, subresource="status")
    found = kube.get(ref)
    kube.delete(ref)
    assert {key: found.get(key) for key in manifest if key != "metadata"} == {
        key: manifest[key] for key in manifest if key != "metadata"
    }


def test_the_server_fills_in_what_a_warehouse_leaves_out(kube: Kube, namespace: str) -> None:
    git = {"repoURL": "https://git.local/demo.git"}
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "Warehouse",
        "metadata": {"name": "defaults", "namespace": namespace},
        "spec": {"subscriptions": [{"image": {"repoURL": "registry.local:5000/product-api"}}, {"git": git}]},
    }
    spec = kube.create(manifest)["spec"]
    assert (spec["interval"], spec["freightCreationPolicy"]) == ("5m0s", "Automatic")
    image, git = spec["subscriptions"][0]["image"], spec["subscriptions"][1]["git"]
    assert (image["imageSelectionStrategy"], image["strictSemvers"], image["discoveryLimit"]) == ("SemVer", True, 20)
    assert (git["commitSelectionStrategy"], git["strictSemvers"], git["discoveryLimit"]) == (
        "NewestFromBranch",
        True,
        20,
    )


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("Warehouse", {"subscriptions": []}, "spec.subscriptions in body should have at least 1 items"),
        (
            "Warehouse",
            {"interval": "5 minutes", **image()},
            "spec.interval in body should match '^([0-9]+(\\.[0-9]+)?(s|m|h))+$'",
        ),
        ("Warehouse", image(repoURL="https://registry.local/a"), "repoURL in body should match"),
        ("Warehouse", image(repoURL="registry.local/a:1.0.0"), "repoURL in body should match"),
        ("Warehouse", image(discoveryLimit=101), "should be less than or equal to 100"),
        (
            "Warehouse",
            image(imageSelectionStrategy="Newest"),
            'supported values: "Digest", "Lexical", "NewestBuild", "SemVer"',
        ),
        (
            "Warehouse",
            image(constraint="^1.0.0", semverConstraint="^1.0.0"),
            "semverConstraint and constraint fields are mutually exclusive",
        ),
        (
            "Warehouse",
            image(imageSelectionStrategy="Digest"),
            "If imageSelectionStrategy is Digest, either constraint or semverConstraint must be set",
        ),
        ("Warehouse", {"subscriptions": [{"git": {"repoURL": "demo.git"}}]}, "repoURL in body should match"),
        ("Stage", {"requestedFreight": []}, "spec.requestedFreight in body should have at least 1 items"),
        (
            "ProjectConfig",
            {"promotionPolicies": [{"stage": "dev", "stageSelector": {"name": "dev"}}]},
            "PromotionPolicy must have exactly one of stage or stageSelector set",
        ),
        (
            "ProjectConfig",
            {"promotionPolicies": [{"autoPromotionEnabled": True}]},
            "PromotionPolicy must have exactly one of stage or stageSelector set",
        ),
        ("PromotionTask", {"steps": []}, "spec.steps in body should have at least 1 items"),
        (
            "PromotionTask",
            {"steps": [{"task": {"name": "other"}}]},
            "PromotionTask step must have uses set and must not reference another task",
        ),
        ("PromotionTask", {"vars": [{"name": "1a"}], "steps": [{"uses": "copy"}]}, "should match '^[a-zA-Z_]\\w*$'"),
    ],
)
def test_the_schema_refuses(kube: Kube, namespace: str, kind: str, spec: Manifest, message: str) -> None:
    assert message in refused(kube, namespace, kind, spec)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({}, "PromotionTemplate step must have exactly one of uses or task set"),
        ({"uses": "copy", "task": {"name": "t"}}, "PromotionTemplate step must have exactly one of uses or task set"),
        (
            {"task": {"name": "t"}, "continueOnError": True},
            "PromotionTemplate step referencing a task cannot set continueOnError",
        ),
        (
            {"task": {"name": "t"}, "retry": {"errorThreshold": 2}},
            "PromotionTemplate step referencing a task cannot set retry",
        ),
    ],
)
def test_the_schema_refuses_steps_of_a_stage(kube: Kube, namespace: str, step: Manifest, message: str) -> None:
    origin = {"kind": "Warehouse", "name": "demo"}
    spec = {
        "requestedFreight": [{"origin": origin, "sources": {"direct": True}}],
        "promotionTemplate": {"spec": {"steps": [step]}},
    }
    assert message in refused(kube, namespace, "Stage", spec)


def test_tables_show_the_columns_of_kargo() -> None:
    columns = {
        definition["spec"]["names"]["kind"]: [
            column["name"] for column in definition["spec"]["versions"][0]["additionalPrinterColumns"]
        ]
        for definition in crds.manifests()
    }
    assert columns["Freight"] == ["Alias", "Origin (Kind)", "Origin (Name)", "Age"]
    assert columns["Stage"] == ["Shard", "Current Freight", "Health", "Ready", "Status", "Age"]
    assert columns["Promotion"] == ["Shard", "Stage", "Freight", "Phase", "Age"]
    assert columns["PromotionTask"] == ["Age"]
