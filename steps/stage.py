"""Steps about Stages: what Kargo says of them, and whether Git and the cluster say the same."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then

from gitops_e2e.pipeline.analysis import analysis_asks, analysis_successful
from gitops_e2e.pipeline.application import has_health, is_synced_to, short
from gitops_e2e.pipeline.branch import listed
from gitops_e2e.pipeline.freight import is_currently_in, is_not_verified_in, is_verified_in
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import WatchedPromotion, succeeds
from gitops_e2e.pipeline.rollout import is_healthy_on, is_stable_on
from gitops_e2e.pipeline.stage import (
    WatchedStage,
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
    asked = all_of(analysis_successful(), analysis_asks(project.names.stable_address(stage)))
    expect(verification, asked, within=budgets.stage_settled)


@then(parsers.parse("Git, Kargo and the cluster agree that {stage} has {version}"))
def _(pipeline: Pipeline, project: Project, release: Release, stage: str, version: str, budgets: Budgets) -> None:
    assert (release.stage, release.version) == (stage, version)
    ready = expect(project.stage(stage), is_ready_with(version), within=budgets.stage_settled)
    proven = all_of(is_currently_in(stage), is_verified_in(stage))
    expect(project.freight(version), proven, within=budgets.freight_found)
    pipeline.branch(stage).require(version, release.commit)
    assert ready.last is not None
    pipeline.require_one_operation(stage, ready.last.name)
    expect(pipeline.application(stage), is_synced_to(release.commit), within=budgets.application_synced)
    expect(pipeline.application(stage), has_health("Healthy"), within=budgets.application_healthy)
    expect(pipeline.rollout(stage), is_healthy_on(version), within=budgets.rollout_settled)
    pipeline.endpoint(stage).await_version(version, within=budgets.endpoint_answers)


@then(parsers.parse("Git and Kargo have {wanted} in {stage}, while the cluster runs {running} and is Degraded"))
def _(
    pipeline: Pipeline, project: Project, release: Release, wanted: str, stage: str, running: str, budgets: Budgets
) -> None:
    assert (release.stage, release.version) == (stage, wanted)
    pipeline.branch(stage).require(wanted, release.commit)
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
    pipeline.branch(stage).require(version, pipeline.releases[stage].commit)
    pipeline.require_deployed(stage, version)


@then(parsers.parse("Git has {version} in {stage}, by one commit"))
def _(pipeline: Pipeline, stage: str, version: str) -> None:
    branch = pipeline.branch(stage)
    news = branch.since(pipeline.releases[stage].commit)
    assert len(news) == 1, f"on branch {branch.name} came {listed(news)}, not one commit"
    branch.require(version, news[0].id)


@then("Git has the commit of the promotion on top of the other one")
def _(pipeline: Pipeline, promotion: WatchedPromotion, other_commit: str, budgets: Budgets) -> None:
    made = expect(promotion, succeeds(), within=budgets.promotion_over)
    branch = pipeline.branch(made.stage)
    news = branch.since(pipeline.releases[made.stage].commit)
    wanted = f"{short(made.commit)} on top of {short(other_commit)}"
    assert [each.id for each in news] == [made.commit, other_commit], (
        f"on branch {branch.name} came {listed(news)}, not {wanted}"
    )


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
    failure = _failure_to_take_over(project.stage(stage), name, budgets)
    assert isinstance(failure.verdict, Impossible), str(failure)
    assert f"{name} sorts before {stage}." in str(failure), str(failure)


def _failure_to_take_over(stage: WatchedStage, promotion: str, budgets: Budgets) -> ExpectationFailed:
    try:
        expect(stage, has_taken_over(promotion), within=budgets.stage_settled)
    except ExpectationFailed as failed:
        return failed
    pytest.fail(f"{stage.title} has taken over the result of {promotion}")
