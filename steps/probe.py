"""Steps about a probe that asks a stage's service all the time."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.probe import Probe, Summary
from gitops_e2e.watching import Budgets

SLOWEST = 20.0
"""Requests a second that a probe must have managed for its word to count."""

HANDOVER = 10.0
"""Seconds for which both releases may answer, while the stable Service moves on from one to the other.

That took 7 s on a machine whose processors were all busy. A canary that reaches users answers beside the stable release
for as long as its pauses and its analysis take: 20 s at least.
"""


@given(parsers.parse("the stable service of {stage} is probed throughout"))
def _(pipeline: Pipeline, probes: dict[str, Probe], stage: str) -> None:
    probes[stage] = pipeline.probe(stage)
    probes[stage].start()


@then(parsers.parse("{stage} served {version} throughout, without a failed request"))
def _(probes: dict[str, Probe], stage: str, version: str) -> None:
    summary = probes[stage].stop()
    _assert_nothing_lost(summary)
    assert set(summary.versions) == {version}, f"others than {version} answered: {summary}"


@then(parsers.parse("{stage} served {before} and then {after}, without a failed request"))
def _(probes: dict[str, Probe], stage: str, before: str, after: str, budgets: Budgets) -> None:
    probes[stage].await_version(after, within=budgets.endpoint_answers)
    summary = probes[stage].stop()
    _assert_nothing_lost(summary)
    answered = [outcome.version for outcome in summary.outcomes]
    assert (answered[0], answered[-1]) == (before, after), f"first {answered[0]} and last {answered[-1]}: {summary}"
    assert set(answered) == {before, after}, f"others answered, too: {summary}"
    both = summary.overlap(before, after)
    assert both <= HANDOVER, f"users got answers of both releases for {both:.1f} s: {summary}"


def _assert_nothing_lost(summary: Summary) -> None:
    assert summary.rate >= SLOWEST, f"{summary.rate:.1f} requests a second are too few to tell: {summary}"
    assert not summary.lost, f"requests were lost: {summary}"
