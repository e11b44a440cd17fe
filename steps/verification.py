"""Steps about a stage's verification by a metric that the scenario has in its hands."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from fixtures.project import Projects
from gitops_e2e.pipeline.kargo import ANALYSIS_TEMPLATES
from gitops_e2e.pipeline.kargo_edits import VERIFICATION, verifies_metric
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.stage import has_verification
from gitops_e2e.watching import Budgets, expect


@given(parsers.parse("a project whose {stage} verifies that a metric is 1"), target_fixture="project")
def _(projects: Projects, stage: str) -> Project:
    return projects.create(verifies_metric(stage, value=1))


@given("that metric is 0")
def _(project: Project) -> None:
    project.edit(ANALYSIS_TEMPLATES, VERIFICATION, verifies_metric("staging", value=0))


@given(parsers.parse("the verification of {version} in {stage} failed"))
def _(project: Project, version: str, stage: str, budgets: Budgets) -> None:
    project.push(version)
    project.look()
    expect(project.stage(stage), has_verification("Failed", version), within=budgets.stage_settled)


@when(parsers.parse("that metric is 1, and {stage} is to verify again"))
def _(project: Project, stage: str) -> None:
    project.edit(ANALYSIS_TEMPLATES, VERIFICATION, verifies_metric(stage, value=1))
    project.reverify(stage)


@then(parsers.parse("the verification of {version} in {stage} fails by its metric {metric}"))
def _(project: Project, version: str, stage: str, metric: str, budgets: Budgets) -> None:
    failed = has_verification("Failed", version, because=f'Metric "{metric}" assessed Failed')
    expect(project.stage(stage), failed, within=budgets.stage_settled)


@then(parsers.parse("{stage} has a verification of {version} that ended {phase}"))
def _(project: Project, stage: str, version: str, phase: str, budgets: Budgets) -> None:
    expect(project.stage(stage), has_verification(phase, version), within=budgets.stage_settled)
