"""Steps about Promotions."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import WatchedPromotion, succeeds
from gitops_e2e.pipeline.stage import is_ready_with
from gitops_e2e.watching import Budgets, expect


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


@then(parsers.parse("release {version} is promoted to {stage} by itself"), target_fixture="release")
def _(project: Project, pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> Release:
    # The stage before has to be done with it first.
    promotion = expect(project.newest_promotion(version, stage), succeeds(), within=budgets.stage_settled)
    return pipeline.promoted(version, promotion)


@then(parsers.parse("the Promotion of {version} succeeds, as it ends with the sync"), target_fixture="release")
def _(pipeline: Pipeline, promotion: WatchedPromotion, version: str, budgets: Budgets) -> Release:
    return pipeline.promoted(version, expect(promotion, succeeds(), within=budgets.promotion_over))
