"""Steps about Freight."""

from __future__ import annotations

from pytest_bdd import parsers, then

from gitops_e2e.pipeline.freight import is_of, is_there, is_verified_in
from gitops_e2e.pipeline.kargo import freight_name
from gitops_e2e.pipeline.project import Project
from gitops_e2e.watching import Budgets, expect


@then(parsers.parse("there is Freight of {version}, and of nothing else"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    expect(project.all_freight(), is_of(version), within=budgets.freight_found)


@then(parsers.parse("the Freight of {version} has an alias for people, and the name that follows from its image"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    freight = expect(project.freight(version), is_there(), within=budgets.freight_found)
    assert freight.name == freight_name(freight.warehouse, *freight.images), freight


@then(parsers.parse("the Freight of {version} is verified in {stage}"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    expect(project.freight(version), is_verified_in(stage), within=budgets.stage_settled)
