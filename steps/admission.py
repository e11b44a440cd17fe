"""Steps about what Kargo refuses when it is asked for."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from fixtures.project import Projects
from gitops_e2e.pipeline.freight import is_there
from gitops_e2e.pipeline.kargo import PROJECT_CONFIGS
from gitops_e2e.pipeline.kargo_edits import policies, promoted_by_hand
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.stage import has_verified
from gitops_e2e.pipeline.wrong_requests import Requests, is_as_expected
from gitops_e2e.watching import Budgets, expect


@given(
    parsers.parse("a project with Freight of {used} in {first} and {second}, and of {unused} in no stage"),
    target_fixture="project",
)
def _(projects: Projects, used: str, first: str, second: str, unused: str, budgets: Budgets) -> Project:
    project = projects.create(policies([{"name": first}, {"name": second}]))
    project.push(used)
    project.look()
    for stage in (first, second):
        expect(project.stage(stage), has_verified(used), within=budgets.stage_settled)
    project.edit(PROJECT_CONFIGS, project.names.project, promoted_by_hand())
    project.push(unused)
    project.look()
    expect(project.freight(unused), is_there(), within=budgets.freight_found)
    return project


@then("Kargo answers, when this is asked for:")
def _(project: Project, datatable: list[list[str]]) -> None:
    requests = Requests.within(project, "1.0.0", "1.1.0")
    answers = [(wrong, expected, requests.answer(wrong)) for wrong, expected in datatable[1:]]
    others = [
        f"  {wrong}\n    answer: {answer}\n    wanted: {expected}"
        for wrong, expected, answer in answers
        if not is_as_expected(answer, expected)
    ]
    assert not others, "\n".join(["Kargo answers otherwise:", *others])
