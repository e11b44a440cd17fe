"""Steps about which Freight comes into which stage, by itself or by hand."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then

from gitops_e2e.kube import KubeError
from gitops_e2e.pipeline.freight import has_been_in, is_not_verified_in, is_verified_in
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import succeeds
from gitops_e2e.pipeline.stage import (
    has_freight,
    has_looked,
    has_no_freight,
    has_verified,
    promotes_by_hand,
    promotes_by_itself,
)
from gitops_e2e.watching import Budgets, all_of, expect, passed_through
from gitops_e2e.watching import then as in_turn


@then(parsers.parse("of the stages, {stages} have taken {version} by themselves, and no other"))
def _(project: Project, stages: str, version: str, budgets: Budgets) -> None:
    takers = stages.split(", ")
    for stage in takers:
        looked = has_looked(project.refresh(stage))
        expect(project.stage(stage), in_turn(looked, promotes_by_itself()), within=budgets.stage_settled)
        expect(project.stage(stage), has_verified(version), within=budgets.stage_settled)
    for stage in set(STAGES) - set(takers):
        _require_untouched(project, stage, budgets)


@then(parsers.parse("{stage} waits until a person promotes it"))
def _(project: Project, stage: str, budgets: Budgets) -> None:
    _require_untouched(project, stage, budgets)


@then(parsers.re(r"(?P<version>\S+) is verified in (?P<stage>\w+)"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.freight(version), is_verified_in(stage), within=budgets.stage_settled)


@then(parsers.parse("{version} is verified in {first}, and then in {second}"))
def _(project: Project, version: str, first: str, second: str, budgets: Budgets) -> None:
    in_order = passed_through(all_of(is_verified_in(first), is_not_verified_in(second)), is_verified_in(second))
    expect(project.freight(version), in_order, within=budgets.stage_settled)


@then(parsers.parse("a promotion of {version} to {stage} is refused: {message}"))
def _(project: Project, version: str, stage: str, message: str) -> None:
    refusal = _refusal(project, version, stage)
    assert message in refusal, f"it is refused for another reason: {refusal}"


@then(parsers.parse("once {version} was in {before} for {seconds:d} seconds, {stage} takes it"))
def _(project: Project, version: str, before: str, seconds: int, stage: str, budgets: Budgets) -> None:
    expect(project.freight(version), has_been_in(before, seconds), within=seconds + budgets.stage_settled)
    project.refresh(stage)  # nothing wakes a stage when Freight has soaked
    expect(project.stage(stage), has_freight(version), within=budgets.stage_settled)


@then(parsers.parse("no promotion to {stage} was made"))
def _(project: Project, stage: str) -> None:
    _require_no_promotions(project, stage)


@then(parsers.parse("{version} can be promoted to {stage}"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.promote(stage, version), succeeds(), within=budgets.promotion_over)


def _refusal(project: Project, version: str, stage: str) -> str:
    try:
        promotion = project.promote(stage, version)
    except KubeError as refused:
        return refused.message
    pytest.fail(f"{promotion.title} was accepted")


def _require_untouched(project: Project, stage: str, budgets: Budgets) -> None:
    """The stage has looked at what it is offered, and has taken nothing."""
    untouched = all_of(has_looked(project.refresh(stage)), promotes_by_hand(), has_no_freight())
    expect(project.stage(stage), untouched, within=budgets.stage_settled)
    _require_no_promotions(project, stage)


def _require_no_promotions(project: Project, stage: str) -> None:
    names = [each["metadata"]["name"] for each in project.promotions(stage)]
    assert not names, f"there are Promotions to {stage}: {', '.join(names)}"
