"""Steps about Argo CD's Applications."""

from __future__ import annotations

from dataclasses import replace

from pytest_bdd import parsers, then

from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.application import APPLICATIONS, Application, deploys, has_health, is_synced_to
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.promotion import WatchedPromotion
from gitops_e2e.watching import Budgets, expect


@then("the ApplicationSet yields one Application each for dev, staging and prod")
def _(harness: Harness, pipeline: Pipeline) -> None:
    found = harness.kube.list(APPLICATIONS, ArgoCD.namespace)
    owned = [each for each in found if _owner(each) == pipeline.names.application_set]
    names = sorted(Application.of(each).name for each in owned)
    wanted = sorted(pipeline.names.application(stage) for stage in ("dev", "staging", "prod"))
    assert names == wanted, f"its Applications are {', '.join(names) or 'none'} instead of {', '.join(wanted)}"


@then("dev, staging and prod are each deployed from their own branch to their own namespace")
def _(pipeline: Pipeline, budgets: Budgets) -> None:
    for stage in ("dev", "staging", "prod"):
        names = pipeline.names
        own = deploys(names.branch(stage), to=names.namespace(stage))
        expect(replace(pipeline.application(stage), revision=None), own, within=budgets.application_synced)


@then("every Application is Synced to the head of its stage branch, and Healthy")
def _(pipeline: Pipeline, budgets: Budgets) -> None:
    for stage in pipeline.stages:
        head = pipeline.branch(stage).head()
        expect(pipeline.application(stage), is_synced_to(head), within=budgets.application_synced)
        expect(pipeline.application(stage), has_health("Healthy"), within=budgets.application_healthy)


@then("Argo CD compares every stage with Git over HTTPS")
def _(harness: Harness, pipeline: Pipeline, budgets: Budgets) -> None:
    for stage in pipeline.stages:
        source = harness.kube.get(pipeline.application_ref(stage))["spec"]["source"]["repoURL"]
        wanted = f"https://git.gitops-e2e.svc.cluster.local/{pipeline.names.repository}.git"
        assert source == wanted, f"the Application of {stage} reads {source} instead of {wanted}"
        head = pipeline.branch(stage).head()
        expect(pipeline.refresh(stage), is_synced_to(head), within=budgets.application_synced)


@then(parsers.parse("Git asks for {version} in {stage}, and its Application is {health}"))
def _(pipeline: Pipeline, release: Release, version: str, stage: str, health: str, budgets: Budgets) -> None:
    asked = pipeline.branch(stage).image_tag()
    assert asked == version, f"branch {pipeline.names.branch(stage)} asks for {asked}"
    expect(pipeline.application(release.stage), is_synced_to(release.commit), within=budgets.application_synced)
    expect(pipeline.application(release.stage), has_health(health), within=budgets.application_healthy)


@then(parsers.parse("the Application of {stage} is Synced and {health}"))
def _(pipeline: Pipeline, release: Release, stage: str, health: str, budgets: Budgets) -> None:
    assert release.stage == stage
    expect(pipeline.application(release.stage), has_health(health), within=budgets.application_healthy)


def _owner(application: dict[str, object]) -> object:
    metadata = application["metadata"]
    assert isinstance(metadata, dict)
    return next((owner["name"] for owner in metadata.get("ownerReferences", [])), None)


@then(parsers.parse("Argo CD deploys {version} to {stage} all the same, once it looks"))
def _(pipeline: Pipeline, stage: str, version: str, budgets: Budgets) -> None:
    commit = pipeline.branch(stage).head()
    pipeline.refresh(stage)
    application = replace(pipeline.application(stage), revision=commit)
    expect(application, is_synced_to(commit), within=budgets.application_synced)
    pipeline.require_deployed(stage, version)


@then(parsers.parse("neither Git nor the cluster has a ConfigMap {name} in {stage}"))
def _(pipeline: Pipeline, name: str, stage: str, budgets: Budgets) -> None:
    branch = pipeline.branch(stage)
    commit = branch.head()
    assert not branch.has("ConfigMap", name), f"branch {branch.name} has a ConfigMap {name}"
    application = replace(pipeline.application(stage), revision=commit)
    expect(application, is_synced_to(commit), within=budgets.application_synced)
    assert not pipeline.has_config_map(stage, name), f"{stage} has a ConfigMap {name}"


@then("Argo CD carried out one operation for it")
def _(pipeline: Pipeline, promotion: WatchedPromotion) -> None:
    pipeline.require_one_operation(promotion.stage, promotion.name)
