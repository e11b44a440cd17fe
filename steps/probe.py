"""Steps about a probe that asks a stage's service all the time."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.probe import Probe
from gitops_e2e.watching import Budgets

SLOWEST = 20.0
"""Requests a second that a probe must have managed for its word to count."""


@given(parsers.parse("the stable service of {stage} is probed throughout"))
def _(pipeline: Pipeline, probes: dict[str, Probe], stage: str) -> None:
    probes[stage] = pipeline.probe(stage)
    probes[stage].start()


@then(parsers.parse("{stage} served {version} throughout, without a failed request"))
def _(probes: dict[str, Probe], stage: str, version: str) -> None:
    summary = probes[stage].stop()
    assert summary.rate >= SLOWEST, str(summary)
    assert not summary.lost, str(summary)
    assert set(summary.versions) == {version}, str(summary)


@then(parsers.parse("{stage} served {before} and then {after}, without a failed request"))
def _(probes: dict[str, Probe], stage: str, before: str, after: str, budgets: Budgets) -> None:
    probes[stage].await_version(after, within=budgets.endpoint_answers)
    summary = probes[stage].stop()
    assert summary.rate >= SLOWEST, str(summary)
    assert not summary.lost, str(summary)
    answered = [outcome.version for outcome in summary.outcomes]
    assert (answered[0], answered[-1]) == (before, after), str(summary)
    assert set(answered) == {before, after}, str(summary)
