"""Steps about Freight."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from gitops_e2e.pipeline.freight import is_of, is_there
from gitops_e2e.pipeline.kargo import freight_name
from gitops_e2e.pipeline.project import Project
from gitops_e2e.watching import Budgets, expect


@given(parsers.parse("there is Freight of {version}"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    project.push(version)
    project.look()
    expect(project.freight(version), is_there(), within=budgets.freight_found)


@then(parsers.parse("there is Freight of {version}, with an alias, and named after what it consists of"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    freight = expect(project.freight(version), is_there(), within=budgets.freight_found)
    wanted = freight_name(freight.warehouse, *freight.images)
    assert freight.name == wanted, f"Freight {freight.state} is called {freight.name} instead of {wanted}"


@then(parsers.parse("there is no other Freight than that of {versions}"))
def _(project: Project, versions: str, budgets: Budgets) -> None:
    expect(project.all_freight(), is_of(*versions.split(", ")), within=budgets.freight_found)


@then("there is no Freight")
def _(project: Project, budgets: Budgets) -> None:
    expect(project.all_freight(), is_of(), within=budgets.freight_found)
