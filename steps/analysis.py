"""Steps about the analysis of a canary."""

from __future__ import annotations

import pytest
from pytest_bdd import then

from gitops_e2e.pipeline.analysis import (
    analysis_error,
    analysis_failed,
    analysis_inconclusive,
    analysis_started,
    analysis_successful,
)
from gitops_e2e.pipeline.memory import LIMIT
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.watching import Budgets, ExpectationFailed, Impossible, expect


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


@then("the analysis of the canary ends in Error, as Prometheus cannot be reached")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(pipeline.analysis(release.stage), analysis_error(because="not-there"), within=budgets.analysis_finished)


@then("the analysis of the canary is Inconclusive, as there was no measurement")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    run = expect(pipeline.analysis(release.stage), analysis_inconclusive(), within=budgets.analysis_finished)
    measured = [number for measurement in run.measurements() for number in measurement.numbers]
    assert not measured, f"something was measured: {measured}"


@then("no analysis was started")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    with pytest.raises(ExpectationFailed) as none:
        expect(pipeline.analysis(release.stage), analysis_started(), within=budgets.analysis_finished)
    assert isinstance(none.value.verdict, Impossible), none.value
