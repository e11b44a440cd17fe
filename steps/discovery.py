"""Steps about what the Warehouse made of the releases in the registry."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from gitops_e2e.pipeline.freight import is_of, is_there
from gitops_e2e.pipeline.kargo import freight_name
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.warehouse import WatchedWarehouse, is_not_ready, says
from gitops_e2e.watching import Budgets, expect


@when("the Warehouse looks again", target_fixture="warehouse")
def _(project: Project) -> WatchedWarehouse:
    return project.look()


@then(parsers.parse("there is Freight of {version}, with an alias, and named after what it consists of"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    freight = expect(project.freight(version), is_there(), within=budgets.freight_found)
    assert freight.name == freight_name(freight.warehouse, freight.images[0]), freight


@then(parsers.parse("there is no other Freight than that of {versions}"))
def _(project: Project, versions: str, budgets: Budgets) -> None:
    expect(project.all_freight(), is_of(*versions.split(", ")), within=budgets.freight_found)


@then("there is no Freight")
def _(project: Project, budgets: Budgets) -> None:
    expect(project.all_freight(), is_of(), within=budgets.freight_found)


@then("the Warehouse says that there is such Freight already")
def _(warehouse: WatchedWarehouse, budgets: Budgets) -> None:
    expect(warehouse, says("FreightCreated", "AlreadyExists"), within=budgets.freight_found)


@then(parsers.parse("the Warehouse is not ready: {message}"))
def _(project: Project, message: str, budgets: Budgets) -> None:
    expect(project.warehouse(), is_not_ready(because=message), within=budgets.freight_found)
