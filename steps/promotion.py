"""Steps about Promotions."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gitops_e2e.pipeline.faults import fault
from gitops_e2e.pipeline.gate import STEP as GATE
from gitops_e2e.pipeline.gate import Gate
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import (
    WatchedPromotion,
    is_aborted,
    is_at,
    is_errored,
    is_held_at,
    skipped,
    succeeds,
)
from gitops_e2e.pipeline.rollout import is_paused_at
from gitops_e2e.pipeline.stage import has_looked, has_taken_over, is_ready_with, promotes_by_itself
from gitops_e2e.watching import Budgets, expect
from gitops_e2e.watching import then as in_turn


@given(parsers.parse("release {version} has come to {first} and {second} by itself"))
def _(project: Project, pipeline: Pipeline, version: str, first: str, second: str, budgets: Budgets) -> None:
    project.push(version)
    project.look()
    for stage in (first, second):
        promotion = expect(project.newest_promotion(version, stage), succeeds(), within=budgets.stage_settled)
        pipeline.promoted(version, promotion)
        expect(project.stage(stage), is_ready_with(version), within=budgets.stage_settled)


@when(parsers.parse("release {version} is promoted to {stage} by hand"), target_fixture="promotion")
def _(project: Project, version: str, stage: str, budgets: Budgets) -> WatchedPromotion:
    return project.promote(stage, version, within=budgets.freight_found)


@given(parsers.re(r"(?P<version>[\d.]+) was promoted to (?P<stage>\w+)"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    project.push(version)
    project.look()
    promotion = project.promote(stage, version, within=budgets.freight_found)
    expect(promotion, succeeds(), within=budgets.promotion_over)
    expect(project.stage(stage), has_taken_over(promotion.name), within=budgets.stage_settled)


@given(parsers.parse("release {version} was promoted to {stage}, whose canary is paused"), target_fixture="release")
def _(project: Project, pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> Release:
    project.push(version)
    project.look()
    promotion = project.promote(stage, version, within=budgets.freight_found)
    release = pipeline.promoted(version, expect(promotion, succeeds(), within=budgets.promotion_over))
    expect(pipeline.rollout(stage), is_paused_at(20), within=budgets.canary_started)
    return release


@given(parsers.parse("a promotion of {version} to {stage} is held after its step {step}"), target_fixture="promotion")
def _(project: Project, gate: Gate, version: str, stage: str, step: str, budgets: Budgets) -> WatchedPromotion:
    promotion = project.promote(stage, version, steps=project.variant("gated", gate.after(step)))
    expect(promotion, is_held_at(GATE), within=budgets.promotion_over)
    return promotion


@given(parsers.parse("a promotion of {version} to {stage} waits for its sync"), target_fixture="promotion")
def _(project: Project, version: str, stage: str, budgets: Budgets) -> WatchedPromotion:
    promotion = project.promote(stage, version)
    expect(promotion, is_at("sync"), within=budgets.promotion_over)
    return promotion


@when(parsers.re(r"(?P<version>\S+) is promoted to (?P<stage>\w+), but (?P<what>.+)"), target_fixture="promotion")
def _(project: Project, version: str, stage: str, what: str) -> WatchedPromotion:
    return project.promote(stage, version, steps=project.variant("faulty", fault(what, project.names)))


@when(parsers.re(r"(?P<version>[\d.]+) is promoted to (?P<stage>\w+)( again)?"), target_fixture="promotion")
def _(project: Project, version: str, stage: str) -> WatchedPromotion:
    return project.promote(stage, version)


@when(
    parsers.re(r"(?P<version>\S+) is promoted to (?P<stage>\w+) under the name (?P<name>\S+)"),
    target_fixture="promotion",
)
def _(project: Project, version: str, stage: str, name: str) -> WatchedPromotion:
    return project.promote(stage, version, name=name)


@when("the promotion is aborted")
def _(project: Project, promotion: WatchedPromotion) -> None:
    project.abort(promotion.name)


@when(parsers.parse("somebody else commits to {stage}, and the promotion goes on"), target_fixture="other_commit")
def _(pipeline: Pipeline, promotion: WatchedPromotion, gate: Gate, stage: str) -> str:
    commit = pipeline.repository.commit_beside(stage)
    gate.let_go(promotion.name)
    return commit


@when("the promotion waits for its sync")
def _(promotion: WatchedPromotion, budgets: Budgets) -> None:
    expect(promotion, is_at("sync"), within=budgets.promotion_over)


@when("the promotion goes on")
def _(promotion: WatchedPromotion, gate: Gate) -> None:
    gate.let_go(promotion.name)


@then("the promotion succeeds")
def _(promotion: WatchedPromotion, budgets: Budgets) -> None:
    expect(promotion, succeeds(), within=budgets.promotion_over)


@then(parsers.parse("the promotion succeeds, after {seconds:d} seconds or more"))
def _(promotion: WatchedPromotion, seconds: int, budgets: Budgets) -> None:
    over = expect(promotion, succeeds(), within=budgets.promotion_over)
    assert over.started
    assert over.finished
    took = (over.finished - over.started).total_seconds()
    assert took >= seconds, f"{over.name} took {took:g} s"


@then(parsers.parse("the promotion succeeds, with nothing to do for its step {step}"))
def _(promotion: WatchedPromotion, step: str, budgets: Budgets) -> None:
    expect(promotion, skipped(step), within=budgets.promotion_over)


@then(parsers.parse("the promotion ends Errored: {message}"))
def _(promotion: WatchedPromotion, message: str, budgets: Budgets) -> None:
    expect(promotion, is_errored(message), within=budgets.promotion_over)


@then(parsers.parse("the promotion ends Aborted: {message}"))
def _(promotion: WatchedPromotion, message: str, budgets: Budgets) -> None:
    expect(promotion, is_aborted(message), within=budgets.promotion_over)


@then(parsers.parse("the next promotion of {version} to {stage} succeeds"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.promote(stage, version), succeeds(), within=budgets.promotion_over)


@then(parsers.parse("release {version} is promoted to {stage} by itself"), target_fixture="release")
def _(project: Project, pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> Release:
    willing = in_turn(has_looked(project.refresh(stage)), promotes_by_itself())
    expect(project.stage(stage), willing, within=budgets.stage_settled)
    # The stage before has to be done with it first; and Kargo itself gives a sync five minutes, and says so then.
    within = budgets.stage_settled + budgets.promotion_over
    promotion = expect(project.newest_promotion(version, stage), succeeds(), within=within)
    return pipeline.promoted(version, promotion)


@then(parsers.parse("the Promotion of {version} succeeds, as it ends with the sync"), target_fixture="release")
def _(pipeline: Pipeline, promotion: WatchedPromotion, version: str, budgets: Budgets) -> Release:
    return pipeline.promoted(version, expect(promotion, succeeds(), within=budgets.promotion_over))
