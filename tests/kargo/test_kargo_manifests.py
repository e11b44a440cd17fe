"""What the demo says of its Kargo resources, and that they name what the other manifests hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.names import DEMO, STAGES, PipelineNames
from gitops_e2e.pipeline.platform import MANIFESTS

KARGO = MANIFESTS.parent / "kargo"
NAMES = PipelineNames(DEMO)
STEPS = [
    "git-clone",
    "git-clear",
    "kustomize-set-image",
    "kustomize-build",
    "git-commit",
    "git-push",
    "argocd-update",
]


def read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text()))


def all_manifests() -> list[Manifest]:
    return [manifest for path in sorted(KARGO.glob("*.yml")) for manifest in read(path)]


def one(kind: str, name: str | None = None) -> Manifest:
    (manifest,) = (
        manifest
        for manifest in all_manifests()
        if manifest["kind"] == kind and name in {None, manifest["metadata"]["name"]}
    )
    return manifest


def config(step: str) -> Manifest:
    (found,) = (entry["config"] for entry in one("PromotionTask")["spec"]["steps"] if entry["uses"] == step)
    assert isinstance(found, dict)
    return found


def task_vars() -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in one("PromotionTask")["spec"]["vars"]}


def application_template() -> Manifest:
    (application_set,) = read(MANIFESTS / "applicationset.yaml")
    template: Manifest = application_set["spec"]["template"]
    return template


def test_each_file_holds_what_its_name_says() -> None:
    kinds = {path.name: [manifest["kind"] for manifest in read(path)] for path in KARGO.iterdir()}
    assert kinds == {
        "project.yml": ["Project"],
        "projectconfig.yml": ["ProjectConfig"],
        "warehouse.yml": ["Warehouse"],
        "promotiontask.yml": ["PromotionTask"],
        "stages.yml": ["Stage", "Stage", "Stage", "AnalysisTemplate"],
    }


def test_everything_is_in_the_project() -> None:
    assert one("Project")["metadata"]["name"] == NAMES.id
    places = {manifest["metadata"].get("namespace") for manifest in all_manifests() if manifest["kind"] != "Project"}
    assert places == {NAMES.id}
    assert one("ProjectConfig")["metadata"]["name"] == NAMES.id  # which Kargo demands


def test_the_warehouse_takes_releases_from_one_on() -> None:
    (subscription,) = one("Warehouse")["spec"]["subscriptions"]
    assert subscription["image"]["repoURL"] == NAMES.image_repository()
    assert subscription["image"]["constraint"] == "^1.0.0"


def test_dev_and_staging_promote_by_themselves_and_prod_waits_for_a_person() -> None:
    policies = one("ProjectConfig")["spec"]["promotionPolicies"]
    assert [policy["stageSelector"]["name"] for policy in policies if policy["autoPromotionEnabled"]] == [
        "dev",
        "staging",
    ]


def test_freight_goes_from_stage_to_stage() -> None:
    sources = {}
    for stage in STAGES:
        (request,) = one("Stage", stage)["spec"]["requestedFreight"]
        assert request["origin"] == {"kind": "Warehouse", "name": one("Warehouse")["metadata"]["name"]}
        sources[stage] = request["sources"]
    assert sources == {"dev": {"direct": True}, "staging": {"stages": ["dev"]}, "prod": {"stages": ["staging"]}}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_promoted_to_in_the_same_seven_steps(stage: str) -> None:
    (step,) = one("Stage", stage)["spec"]["promotionTemplate"]["spec"]["steps"]
    task = one("PromotionTask")
    assert step["task"] == {"name": task["metadata"]["name"]}
    assert [entry["uses"] for entry in task["spec"]["steps"]] == STEPS


def test_the_steps_work_on_the_pipelines_own_repositories() -> None:
    assert task_vars()["imageRepo"] == NAMES.image_repository()
    assert task_vars()["gitRepo"] == application_template()["spec"]["source"]["repoURL"]


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_committed_is_what_the_stages_application_follows(stage: str) -> None:
    branches = [checkout["branch"].replace("${{ ctx.stage }}", stage) for checkout in config("git-clone")["checkout"]]
    assert branches == ["main", NAMES.branch(stage)]
    follows = application_template()["spec"]["source"]["targetRevision"].replace("{{.stage}}", stage)
    assert follows == NAMES.branch(stage)
    (app,) = config("argocd-update")["apps"]
    assert app["name"].replace("${{ ctx.stage }}", stage) == NAMES.application(stage)
    (allowed,) = application_template()["metadata"]["annotations"].values()
    assert allowed.replace("{{.stage}}", stage) == f"{NAMES.id}:{stage}"


def test_the_overlays_are_where_the_steps_look_for_them() -> None:
    assert config("kustomize-set-image")["path"] == "./src/base"
    (kustomization,) = read(MANIFESTS / "base" / "kustomization.yaml")
    assert [image["name"] for image in kustomization["images"]] == [NAMES.image_repository()]
    built = config("kustomize-build")["path"].removeprefix("./src/")
    assert all((MANIFESTS / built.replace("${{ ctx.stage }}", stage)).is_dir() for stage in STAGES)


def test_only_staging_is_verified_and_by_its_users_way_in() -> None:
    verified = {stage: one("Stage", stage)["spec"].get("verification") for stage in STAGES}
    assert verified == {"dev": None, "staging": {"analysisTemplates": [{"name": "verify-staging"}]}, "prod": None}
    metrics = one("AnalysisTemplate", "verify-staging")["spec"]["metrics"]
    host = f"{NAMES.stable_service}.{NAMES.namespace('staging')}.svc.cluster.local:3000"
    assert {metric["provider"]["web"]["url"] for metric in metrics} == {
        f"http://{host}/health",
        f"http://{host}/products",
    }


def test_every_alias_that_is_asked_for_is_there() -> None:
    steps = one("PromotionTask")["spec"]["steps"]
    aliases = [step["as"] for step in steps]
    for index, step in enumerate(steps):
        asked = re.findall(r"task\.outputs(?:\.(\w+)|\['([\w-]+)'\])", str(step["config"]))
        assert {name or quoted for name, quoted in asked} <= set(aliases[:index])
