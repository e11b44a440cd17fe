"""Steps about Stages: what Kargo says of them, and whether Git and the cluster say the same."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then

from gitops_e2e.pipeline.analysis import analysis_successful
from gitops_e2e.pipeline.application import has_health, is_synced_to
from gitops_e2e.pipeline.freight import is_currently_in, is_not_verified_in, is_verified_in
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import WatchedPromotion, succeeds
from gitops_e2e.pipeline.rollout import is_healthy_on, is_stable_on
from gitops_e2e.pipeline.stage import (
    WatchedVerification,
    has_no_freight,
    has_taken_over,
    is_healthy_with,
    is_idle,
    is_ready_with,
    is_unhealthy_with,
)
from gitops_e2e.watching import Budgets, ExpectationFailed, Impossible, all_of, expect


@then(parsers.parse("{stage} verifies {version} by asking its endpoints"))
def _(project: Project, stage: str, version: str, budgets: Budgets) -> None:
    verification = WatchedVerification(project.stage(stage), version)
    expect(verification, analysis_successful(), within=budgets.stage_settled)


@then(parsers.parse("Git, Kargo and the cluster agree that {stage} has {version}"))
def _(pipeline: Pipeline, project: Project, release: Release, stage: str, version: str, budgets: Budgets) -> None:
    assert (release.stage, release.version) == (stage, version)
    expect(project.stage(stage), is_ready_with(version), within=budgets.stage_settled)
    proven = all_of(is_currently_in(stage), is_verified_in(stage))
    expect(project.freight(version), proven, within=budgets.freight_found)
    assert pipeline.branch(stage).head() == release.commit
    assert pipeline.branch(stage).image_tag() == version
    expect(pipeline.application(stage), is_synced_to(release.commit), within=budgets.application_synced)
    expect(pipeline.application(stage), has_health("Healthy"), within=budgets.application_healthy)
    expect(pipeline.rollout(stage), is_healthy_on(version), within=budgets.rollout_settled)
    pipeline.endpoint(stage).await_version(version, within=budgets.endpoint_answers)


@then(parsers.parse("Git and Kargo have {wanted} in {stage}, while the cluster runs {running} and is Degraded"))
def _(
    pipeline: Pipeline, project: Project, release: Release, wanted: str, stage: str, running: str, budgets: Budgets
) -> None:
    assert (release.stage, release.version) == (stage, wanted)
    assert pipeline.branch(stage).head() == release.commit
    assert pipeline.branch(stage).image_tag() == wanted
    expect(project.freight(wanted), is_currently_in(stage), within=budgets.freight_found)
    expect(pipeline.application(stage), is_synced_to(release.commit), within=budgets.application_synced)
    expect(pipeline.application(stage), has_health("Degraded"), within=budgets.application_healthy)
    expect(pipeline.rollout(stage), is_stable_on(running), within=budgets.rollout_settled)
    pipeline.endpoint(stage).await_version(running, within=budgets.endpoint_answers)


@then(parsers.parse("the stage {stage} is Unhealthy, and the Freight of {version} is not verified there"))
def _(project: Project, stage: str, version: str, budgets: Budgets) -> None:
    unhealthy = is_unhealthy_with(version, because='health state "Degraded"')
    expect(project.stage(stage), unhealthy, within=budgets.stage_settled)
    expect(project.freight(version), is_not_verified_in(stage), within=budgets.freight_found)


@then(parsers.parse("Git and the cluster have {version} in {stage}"))
def _(pipeline: Pipeline, stage: str, version: str) -> None:
    assert pipeline.branch(stage).image_tag() == version
    assert pipeline.branch(stage).head() == pipeline.releases[stage].commit
    assert pipeline.deployed_tag(stage) == version


@then(parsers.parse("Git has {version} in {stage}, by one commit"))
def _(pipeline: Pipeline, stage: str, version: str) -> None:
    assert pipeline.branch(stage).image_tag() == version
    news, *others = pipeline.branch(stage).log()
    assert others[0].id == pipeline.releases[stage].commit, [news, *others]


@then("Git has the commit of the promotion on top of the other one")
def _(pipeline: Pipeline, promotion: WatchedPromotion, other_commit: str, budgets: Budgets) -> None:
    made = expect(promotion, succeeds(), within=budgets.promotion_over)
    assert [each.id for each in pipeline.branch(made.stage).log(2)] == [made.commit, other_commit]


@then(parsers.parse("the stage {stage} has no Freight"))
def _(project: Project, stage: str, budgets: Budgets) -> None:
    expect(project.stage(stage), all_of(is_idle(), has_no_freight()), within=budgets.stage_settled)


@then(parsers.parse("the stage {stage} is Healthy with {version}"))
def _(project: Project, stage: str, version: str, budgets: Budgets) -> None:
    expect(project.stage(stage), is_healthy_with(version), within=budgets.stage_settled)


@then(
    parsers.parse(
        "waiting for {stage} to take it over fails at once, as {name} sorts before the name of the last promotion"
    )
)
def _(project: Project, stage: str, name: str, budgets: Budgets) -> None:
    with pytest.raises(ExpectationFailed) as failed:
        expect(project.stage(stage), has_taken_over(name), within=budgets.stage_settled)
    assert isinstance(failed.value.verdict, Impossible), failed.value
    assert f"{name} sorts before {stage}." in str(failed.value)
