"""Steps about a pipeline's Git repository: what becomes of pushes to it."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from gitops_e2e.pipeline.branch import listed
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import succeeds
from gitops_e2e.pipeline.pushes import OVERTAKEN, declined, overtaken
from gitops_e2e.watching import Budgets, expect


@given(parsers.parse("the Git server takes no push to {stage}"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.hook(declined(pipeline.names.branch(stage)))


@given(parsers.parse("somebody else's commit comes to {stage} before every push"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.hook(overtaken(pipeline.names.branch(stage)))


@then(parsers.parse("after {count:d} commits of somebody else's, Git and the cluster have {version} in {stage}"))
def _(pipeline: Pipeline, stage: str, version: str, count: int) -> None:
    branch = pipeline.branch(stage)
    news = branch.since(pipeline.releases[stage].commit)
    assert [each.subject for each in news] == [OVERTAKEN] * count, f"on branch {branch.name} came {listed(news)}"
    branch.require(version, news[0].id)
    pipeline.require_deployed(stage, version)


@then(
    parsers.re(
        r"once (nobody is faster|the Git server takes pushes again), "
        r"the next promotion of (?P<version>\S+) to (?P<stage>\w+) succeeds"
    )
)
def _(pipeline: Pipeline, project: Project, version: str, stage: str, budgets: Budgets) -> None:
    pipeline.unhook()
    expect(project.promote(stage, version), succeeds(), within=budgets.promotion_over)
