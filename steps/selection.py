"""Steps about which Freight comes into which stage, by itself or by hand."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then

from gitops_e2e.kube import KubeError
from gitops_e2e.pipeline.freight import has_been_in, is_verified_in
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import succeeds
from gitops_e2e.pipeline.stage import has_freight, has_looked, has_no_freight, has_verified
from gitops_e2e.watching import Budgets, all_of, expect


@then(parsers.parse("of the stages, {stages} have taken {version} by themselves, and no other"))
def _(project: Project, stages: str, version: str, budgets: Budgets) -> None:
    takers = stages.split(", ")
    for stage in takers:
        expect(project.stage(stage), has_verified(version), within=budgets.stage_settled)
    for stage in set(STAGES) - set(takers):
        untaken = all_of(has_looked(project.refresh(stage)), has_no_freight())
        assert not expect(project.stage(stage), untaken, within=budgets.stage_settled).promotes_by_itself
        assert not project.promotions(stage)


@then(parsers.parse("{version} is verified in {stage}"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.freight(version), is_verified_in(stage), within=budgets.stage_settled)


@then(parsers.parse("a promotion of {version} to {stage} is refused: {message}"))
def _(project: Project, version: str, stage: str, message: str) -> None:
    with pytest.raises(KubeError) as refused:
        project.promote(stage, version)
    assert message in refused.value.message, refused.value


@then(parsers.parse("once {version} was in {before} for {seconds:d} seconds, {stage} takes it"))
def _(project: Project, version: str, before: str, seconds: int, stage: str, budgets: Budgets) -> None:
    expect(project.freight(version), has_been_in(before, seconds), within=seconds + budgets.stage_settled)
    project.refresh(stage)  # nothing wakes a stage when Freight has soaked
    expect(project.stage(stage), has_freight(version), within=budgets.stage_settled)


@then(parsers.parse("no promotion to {stage} was made"))
def _(project: Project, stage: str) -> None:
    assert not project.promotions(stage)


@then(parsers.parse("{version} can be promoted to {stage}"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.promote(stage, version), succeeds(), within=budgets.promotion_over)
