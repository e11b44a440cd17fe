"""Steps that give a scenario its Kargo Project, and change what the Project asks for."""

from __future__ import annotations

from pytest_bdd import given, parsers

from fixtures.project import Projects
from gitops_e2e.pipeline import kargo_edits
from gitops_e2e.pipeline.kargo import PROJECT_CONFIGS, STAGES, WAREHOUSES
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.project import Project


@given("Kargo promotes its releases", target_fixture="project")
def _(projects: Projects, pipeline: Pipeline) -> Project:
    return projects.of(pipeline)


@given("Kargo promotes its releases when told to", target_fixture="project")
def _(projects: Projects, pipeline: Pipeline) -> Project:
    return projects.of(pipeline, kargo_edits.promoted_by_hand())


@given("a project whose stages deploy nothing, promoted by hand", target_fixture="project")
def _(projects: Projects) -> Project:
    return projects.create(kargo_edits.promoted_by_hand())


@given("a project whose stages deploy nothing", target_fixture="project")
def _(projects: Projects) -> Project:
    return projects.create()


@given("a project whose stages take Freight straight from the Warehouse", target_fixture="project")
def _(projects: Projects) -> Project:
    return projects.create(kargo_edits.takes_from_warehouse(), kargo_edits.policies([]))


@given(parsers.parse("the Warehouse looks for {constraint}"))
def _(project: Project, constraint: str) -> None:
    project.edit(WAREHOUSES, project.names.warehouse, kargo_edits.constraint(constraint))


@given(parsers.parse("{stage} is labelled {label}={value}"))
def _(project: Project, stage: str, label: str, value: str) -> None:
    project.label(STAGES, stage, label, value)


@given(parsers.re(r"a policy lets the stages of (?P<by>name|label) (?P<what>\S+) take new Freight by themselves"))
def _(project: Project, by: str, what: str) -> None:
    selector = {"name": what} if by == "name" else {"matchLabels": dict([what.split("=")])}
    project.edit(PROJECT_CONFIGS, project.names.project, kargo_edits.policies([selector]))


@given(parsers.re(r"(?P<stage>\w+) takes only what was in \w+ for (?P<time>\w+)"))
def _(project: Project, stage: str, time: str) -> None:
    project.edit(STAGES, stage, kargo_edits.soaks(stage, time))


@given(parsers.parse("{stage} is a control-flow stage"))
def _(project: Project, stage: str) -> None:
    project.edit(STAGES, stage, kargo_edits.lets_through(stage))
