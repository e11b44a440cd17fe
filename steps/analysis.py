"""Steps about the analysis of a canary."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then

from gitops_e2e.pipeline.analysis import (
    analysis_error,
    analysis_failed,
    analysis_failed_below,
    analysis_failed_by,
    analysis_inconclusive,
    analysis_started,
    analysis_successful,
    has_measured,
    has_recorded,
)
from gitops_e2e.pipeline.analysis_changes import name_of
from gitops_e2e.pipeline.memory import LIMIT
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.rollout import is_aborted, is_analysed_at
from gitops_e2e.watching import Budgets, ExpectationFailed, Impossible, all_of, expect, never_was


@then("the analysis of the canary is Successful")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_successful(), within=budgets.analysis_finished)


@then("the analysis fails, as the memory of a canary pod was above 150 MB")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(
        pipeline.analysis(release.stage),
        analysis_failed(above=LIMIT, metric="memory"),
        within=budgets.analysis_finished,
    )


@then(parsers.parse("the analysis of the canary fails by its metric {metric}"))
def _(pipeline: Pipeline, release: Release, metric: str, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_failed_by(metric), within=budgets.analysis_finished)


@then(parsers.parse("the analysis fails, as the {metric} was above {limit:g}"))
def _(pipeline: Pipeline, release: Release, metric: str, limit: float, budgets: Budgets) -> None:
    failed = analysis_failed(above=limit, metric=metric)
    expect(pipeline.analysis(release.stage), failed, within=budgets.analysis_finished)


@then(parsers.parse("the analysis fails, as the {metric} was below {limit:g}"))
def _(pipeline: Pipeline, release: Release, metric: str, limit: float, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_failed_below(limit, metric), within=budgets.analysis_finished)


@then(parsers.parse("the analysis of the canary ends in Error: {words}"))
def _(pipeline: Pipeline, release: Release, words: str, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_error(because=words), within=budgets.analysis_finished)


@then(parsers.parse("{metric} failed {failures:d} time and succeeded {successes:d} times"))
def _(pipeline: Pipeline, release: Release, metric: str, failures: int, successes: int, budgets: Budgets) -> None:
    for phase, times in (("Failed", failures), ("Successful", successes)):
        measured = has_measured(phase, metric, at_least=times, at_most=times)
        expect(pipeline.analysis(release.stage), measured, within=budgets.analysis_finished)


@then(parsers.parse("{metric} could not be measured at least {times:d} times"))
def _(pipeline: Pipeline, release: Release, metric: str, times: int, budgets: Budgets) -> None:
    errors = has_measured("Error", metric, at_least=times)
    expect(pipeline.analysis(release.stage), errors, within=budgets.analysis_finished)


@then(parsers.parse("a check {which} would have let the canary through"))
def _(pipeline: Pipeline, release: Release, which: str, budgets: Budgets) -> None:
    successful = has_recorded("Successful", name_of(which))
    expect(pipeline.analysis(release.stage), successful, within=budgets.analysis_finished)


@then(parsers.parse("it is recorded that {metric} failed"))
def _(pipeline: Pipeline, release: Release, metric: str, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), has_recorded("Failed", metric), within=budgets.analysis_finished)


@then(parsers.parse("the rollout is aborted before its analysis at weight {weight:d} began"))
def _(pipeline: Pipeline, release: Release, weight: int, budgets: Budgets) -> None:
    expect(
        pipeline.rollout(release.stage),
        all_of(is_aborted(), never_was(is_analysed_at(weight))),
        within=budgets.rollout_settled,
    )


@then("the analysis of the canary ends in Error, as Prometheus cannot be reached")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_error(because="dial tcp"), within=budgets.analysis_finished)


@then("the analysis of the canary is Inconclusive, as there was no measurement")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    run = expect(pipeline.analysis(release.stage), analysis_inconclusive(), within=budgets.analysis_finished)
    measured = [number for measurement in run.measurements() for number in measurement.numbers]
    assert not measured, f"something was measured: {measured}"


@then("no analysis was started")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    try:
        run = expect(pipeline.analysis(release.stage), analysis_started(), within=budgets.analysis_finished)
    except ExpectationFailed as none:
        if isinstance(none.verdict, Impossible):
            return
        raise
    pytest.fail(f"{run.name} was started: {run.state}")
