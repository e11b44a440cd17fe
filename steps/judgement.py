"""Steps that say how a canary is to be judged, by commits on main."""

from __future__ import annotations

from pytest_bdd import given, parsers

from gitops_e2e.pipeline import analysis_changes
from gitops_e2e.pipeline.pipeline import Pipeline


@given(parsers.parse("the canary of {stage} is judged by its {analysis}"))
def _(pipeline: Pipeline, stage: str, analysis: str) -> None:
    pipeline.change(analysis_changes.judged_by(stage, analysis))


@given(parsers.parse("beside it is recorded what a check {which} says"))
def _(pipeline: Pipeline, which: str) -> None:
    pipeline.change(analysis_changes.recorded_beside(which))


@given(parsers.parse("the {analysis} is asked for {times:d} times, and {failures:d} failure is forgiven"))
def _(pipeline: Pipeline, analysis: str, times: int, failures: int) -> None:
    pipeline.change(analysis_changes.forgiving(analysis, failures=failures, measurements=times))


@given(parsers.parse("{metric} is only recorded"))
def _(pipeline: Pipeline, metric: str) -> None:
    pipeline.change(analysis_changes.dry_run(metric))


@given(parsers.parse("the canary of {stage} is analysed from its first pod on"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.change(analysis_changes.analysed_throughout(pipeline.names.namespace(stage)))
