"""Steps that give a scenario its pipeline, and release to it."""

from __future__ import annotations

from pytest_bdd import given, parsers, when

from fixtures.pipeline import Pipelines
from gitops_e2e.pipeline.changes import config_map, no_stress_sidecar
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.pipeline import BASELINE, Pipeline, Release
from gitops_e2e.pipeline.rollout import is_aborted
from gitops_e2e.watching import Budgets, expect


@given("the demo pipeline", target_fixture="pipeline")
def _(demo: Pipeline) -> Pipeline:
    return demo


@given(f"a pipeline whose stages all serve release {BASELINE}", target_fixture="pipeline")
def _(pipelines: Pipelines) -> Pipeline:
    return pipelines.create(STAGES, versions=[BASELINE])


@given(
    parsers.re(rf"a pipeline whose (?P<first>\w+) and (?P<second>\w+) serve release {BASELINE}"),
    target_fixture="pipeline",
)
def _(pipelines: Pipelines, first: str, second: str) -> Pipeline:
    return pipelines.create([first, second], versions=[BASELINE])


@given("a pipeline that was made a moment ago", target_fixture="pipeline")
def _(pipelines: Pipelines) -> Pipeline:
    return pipelines.begin(STAGES)


@given("a pipeline without pods", target_fixture="pipeline")
def _(pipelines: Pipelines) -> Pipeline:
    return pipelines.create_without_pods(["dev", "staging"])


@given(parsers.parse("a pipeline without pods, but with a ConfigMap {name}"), target_fixture="pipeline")
def _(pipelines: Pipelines, name: str) -> Pipeline:
    pipeline = pipelines.create_without_pods(["dev"], changes=[config_map(name)])
    assert pipeline.has_config_map("dev", name), f"dev has no ConfigMap {name}"
    return pipeline


@given("a pipeline without pods, whose Git repository asks for a password", target_fixture="pipeline")
def _(pipelines: Pipelines) -> Pipeline:
    return pipelines.create_without_pods(["dev", "staging"], private=True)


@given(parsers.re(rf"a pipeline whose (?P<stage>\w+) serves release {BASELINE}"), target_fixture="pipeline")
def _(pipelines: Pipelines, stage: str) -> Pipeline:
    return pipelines.create([stage])


@given(parsers.re(rf"another pipeline whose (?P<stage>\w+) serves release {BASELINE}"), target_fixture="neighbour")
def _(pipelines: Pipelines, stage: str) -> Pipeline:
    return pipelines.create([stage])


@given(
    parsers.re(rf"a pipeline whose (?P<stage>\w+) serves release {BASELINE} without the sidecar"),
    target_fixture="pipeline",
)
def _(pipelines: Pipelines, stage: str) -> Pipeline:
    return pipelines.create([stage], changes=[no_stress_sidecar(stage)])


@when(parsers.parse("release {version} is committed to {stage}"), target_fixture="release")
def _(pipeline: Pipeline, version: str, stage: str) -> Release:
    return pipeline.release(stage, version)


@given(parsers.parse("release {version} was rolled back in {stage}"))
def _(pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> None:
    _roll_back(pipeline, version, stage, budgets)


@when(parsers.parse("release {version} is rolled back in {stage} of the other pipeline"))
def _(neighbour: Pipeline, version: str, stage: str, budgets: Budgets) -> None:
    _roll_back(neighbour, version, stage, budgets)


def _roll_back(pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> None:
    pipeline.release(stage, version)
    expect(pipeline.rollout(stage), is_aborted(because="memory"), within=budgets.rollout_settled)
