"""Steps about a stage's Rollout."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from gitops_e2e.pipeline.analysis import analysis_started
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.rollout import (
    WatchedRollout,
    has_canary_pods,
    is_aborted,
    is_aborted_at_its_deadline,
    is_analysed_at,
    is_at_weight,
    is_healthy_on,
    is_paused_at,
    is_paused_for_a_decision,
    is_stable_on,
    is_taken_up_again,
    wants_replicas,
)
from gitops_e2e.watching import Budgets, all_of, expect, passed_through


@then(parsers.parse("one canary pod of three runs {version} at weight {weight:d}"))
def _(pipeline: Pipeline, release: Release, version: str, weight: int, budgets: Budgets) -> None:
    canary = all_of(is_paused_at(weight), has_canary_pods(1, of=3))
    rollout = expect(pipeline.rollout(release.stage), canary, within=budgets.canary_started)
    assert rollout.canary is not None
    assert rollout.canary.runs(version), f"the canary runs {', '.join(rollout.canary.images)}"
    for pod in rollout.canary_pods:
        answer = pipeline.service_pod(release.stage, pod.name).get("/health")
        told = answer.json["version"]
        assert told == version, f"pod {pod.name} has an image of {version}, but answers as {told}"


@then(parsers.parse("the canary is analysed at weight {weight:d}"))
def _(pipeline: Pipeline, release: Release, weight: int, budgets: Budgets) -> None:
    course = passed_through(is_analysed_at(weight))
    expect(pipeline.rollout(release.stage), course, within=budgets.analysis_finished)


@when(parsers.parse("the canary of {stage} is paused at weight {weight:d}"))
def _(pipeline: Pipeline, release: Release, stage: str, weight: int, budgets: Budgets) -> None:
    assert release.stage == stage
    expect(pipeline.rollout(release.stage), is_paused_at(weight), within=budgets.canary_started)


@then(parsers.parse("the rollout goes on to weight {weight:d} and to the end"))
def _(pipeline: Pipeline, release: Release, weight: int, budgets: Budgets) -> None:
    course = passed_through(is_at_weight(weight), is_healthy_on(release.version))
    expect(pipeline.rollout(release.stage), course, within=budgets.rollout_settled)


@then(parsers.parse("the canary is paused for {seconds:d} seconds before its analysis begins"))
def _(pipeline: Pipeline, release: Release, seconds: int, budgets: Budgets) -> None:
    rollout = expect(pipeline.rollout(release.stage), is_paused_at(20), within=budgets.canary_started)
    run = expect(pipeline.analysis(release.stage), analysis_started(), within=budgets.canary_started + seconds)
    assert rollout.paused_since is not None
    assert run.started is not None
    paused = (run.started - rollout.paused_since).total_seconds()
    assert paused >= seconds, f"the analysis began {paused:g} s after the pause did, not {seconds} s"


@when(
    parsers.parse("somebody scales the Rollout of {stage} to {replicas:d} pod by hand"),
    target_fixture="scaled_rollout",
)
def _(pipeline: Pipeline, stage: str, replicas: int) -> WatchedRollout:
    return pipeline.scale_by_hand(stage, replicas)


@then(parsers.parse("Argo CD lets it have {replicas:d} pods again, as Git has it"))
def _(pipeline: Pipeline, scaled_rollout: WatchedRollout, replicas: int, budgets: Budgets) -> None:
    pipeline.require_self_heal()
    expect(scaled_rollout, wants_replicas(replicas), within=budgets.application_synced)


@then("the rollout is aborted, and no pod of 1.0.0 remains")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(pipeline.rollout(release.stage), is_aborted(), within=budgets.rollout_settled)
    expect(pipeline.rollout(release.stage), has_canary_pods(0, of=3), within=budgets.pods_gone)


@then("the rollout is aborted, as it exceeded its progress deadline")
def _(pipeline: Pipeline, release: Release, budgets: Budgets) -> None:
    expect(pipeline.rollout(release.stage), is_aborted_at_its_deadline(), within=budgets.rollout_settled)


@then(parsers.parse("the rollout is paused for a decision, with the canary at weight {weight:d}"))
def _(pipeline: Pipeline, release: Release, weight: int, budgets: Budgets) -> None:
    undecided = all_of(is_paused_for_a_decision(), is_at_weight(weight))
    expect(pipeline.rollout(release.stage), undecided, within=budgets.rollout_settled)


@then(parsers.parse("the stable ReplicaSet of {stage} runs {version}"))
def _(pipeline: Pipeline, stage: str, version: str, budgets: Budgets) -> None:
    expect(pipeline.rollout(stage), is_stable_on(version), within=budgets.rollout_settled)


@when(parsers.parse("a person promotes the rollout of {stage} in full"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.promote_rollout(stage)


@when(parsers.parse("a person aborts the rollout of {stage}"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.abort_rollout(stage)


@when(parsers.parse("a person retries the rollout of {stage}"))
def _(pipeline: Pipeline, stage: str, budgets: Budgets) -> None:
    pipeline.retry_rollout(stage)
    expect(pipeline.rollout(stage), is_taken_up_again(), within=budgets.rollout_settled)
