"""Steps about the image repository, and the Warehouse that looks there for releases."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.warehouse import WatchedWarehouse, has_discovered
from gitops_e2e.watching import Budgets, expect


@given("Kargo promotes its releases", target_fixture="project")
def _(pipeline: Pipeline) -> Project:
    return Project.create(pipeline.platform, pipeline.names)


@when(parsers.parse("release {version} is pushed to the image repository"), target_fixture="warehouse")
def _(project: Project, version: str) -> WatchedWarehouse:
    project.push(version)
    return project.look()


@then(parsers.parse("the Warehouse discovers {version}"))
def _(warehouse: WatchedWarehouse, version: str, budgets: Budgets) -> None:
    expect(warehouse, has_discovered(version), within=budgets.freight_found)
