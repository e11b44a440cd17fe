"""Steps about the Warehouse."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.warehouse import WatchedWarehouse, could_not_look, has_discovered, is_not_ready, says
from gitops_e2e.watching import Budgets, expect


@when("the Warehouse looks again", target_fixture="warehouse")
def _(project: Project) -> WatchedWarehouse:
    return project.look()


@then("the Warehouse says that there is such Freight already")
def _(warehouse: WatchedWarehouse, budgets: Budgets) -> None:
    expect(warehouse, says("FreightCreated", "AlreadyExists"), within=budgets.freight_found)


@then(parsers.parse("the Warehouse is not ready: {message}"))
def _(warehouse: WatchedWarehouse, message: str, budgets: Budgets) -> None:
    expect(warehouse, is_not_ready(because=message), within=budgets.freight_found)


@then(parsers.parse("the Warehouse has discovered {tags} alone"))
def _(project: Project, tags: str, budgets: Budgets) -> None:
    expect(project.look(), has_discovered(*tags.split(", ")), within=budgets.freight_found)


@then(parsers.parse("the Warehouse could not look: {message}"))
def _(warehouse: WatchedWarehouse, message: str, budgets: Budgets) -> None:
    expect(warehouse, could_not_look(message), within=budgets.freight_found)
