"""Steps about releases in the registry, and the registry itself."""

from __future__ import annotations

from pytest_bdd import given, parsers, when

from gitops_e2e.pipeline.kargo import WAREHOUSES
from gitops_e2e.pipeline.kargo_edits import repository
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.registry_address import RegistryAddress
from gitops_e2e.pipeline.warehouse import WatchedWarehouse, could_look, could_not_look, has_looked
from gitops_e2e.watching import Budgets, expect


@given(parsers.parse("release {version} is in the registry, and the Warehouse has looked"))
def _(project: Project, version: str, budgets: Budgets) -> None:
    project.push(version)
    expect(project.look(), has_looked(), within=budgets.freight_found)


@when(parsers.parse("release {version} is pushed to the registry"), target_fixture="warehouse")
def _(project: Project, version: str) -> WatchedWarehouse:
    project.push(version)
    return project.look()


@given("the Warehouse reaches the registry at an address of its own", target_fixture="registry_address")
def _(project: Project) -> RegistryAddress:
    address = RegistryAddress(project)
    address.create()
    project.edit(WAREHOUSES, project.names.warehouse, repository(address.image_repository))
    return address


@when("the registry goes away from that address", target_fixture="warehouse")
def _(project: Project, registry_address: RegistryAddress, budgets: Budgets) -> WatchedWarehouse:
    registry_address.close()
    # The node follows the Service a moment later.
    project.look_until(could_not_look(), within=budgets.freight_found)
    return project.look()


@given(parsers.parse("the registry went away from that address, and release {version} came in the meantime"))
def _(project: Project, registry_address: RegistryAddress, version: str, budgets: Budgets) -> None:
    registry_address.close()
    project.look_until(could_not_look(), within=budgets.freight_found)
    project.push(version)


@when("the registry comes back")
def _(project: Project, registry_address: RegistryAddress, budgets: Budgets) -> None:
    registry_address.open()
    # As above; and a look that failed is not repeated for minutes.
    project.look_until(could_look(), within=budgets.freight_found)


@when(parsers.parse("the tag of release {version} is deleted from the registry"))
def _(project: Project, version: str) -> None:
    project.withdraw(version)


@when(parsers.parse("the tag of release {version} is moved to another image"), target_fixture="warehouse")
def _(project: Project, version: str) -> WatchedWarehouse:
    project.move_tag(version)
    return project.look()
