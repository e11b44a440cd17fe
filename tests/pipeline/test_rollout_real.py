"""Readings and expectations against the real Argo Rollouts controller; only the pods' statuses are made up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import (
    analysis_error,
    analysis_failed,
    analysis_inconclusive,
    analysis_successful,
)
from gitops_e2e.pipeline.rollout import (
    PROGRESS_DEADLINE,
    has_canary_pods,
    is_aborted,
    is_analysed,
    is_at_weight,
    is_degraded,
    is_healthy_on,
    is_paused_at,
    is_paused_for_a_decision,
    is_stable_on,
)
from gitops_e2e.watching import ExpectationFailed, WatchCache, all_of, expect, never_was, passed_through
from tests.argo_rollouts import (
    FAILURE,
    LIMIT,
    NEW,
    OLD,
    SUCCESS,
    Kubelet,
    Shop,
    metric_server,
    prometheus_answer,
    rollout_manifest,
    waiting,
)
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

WITHIN = 60.0


@pytest.fixture
def memory() -> dict[str, Any]:
    """What the metric server answers; a test may change it."""
    return {"status": 200, "body": prometheus_answer("90")}


@pytest.fixture
def shop(
    rollouts_plane: ControlPlane,
    kubelet: Kubelet,  # noqa: ARG001
    watched: WatchCache,
    memory: dict[str, Any],
    request: pytest.FixtureRequest,
) -> Iterator[Shop]:
    namespace = re.sub("[^a-z]+", "-", request.node.name.lower()).removeprefix("test-")[:50].strip("-")
    with metric_server(lambda _: (memory["status"], memory["body"])) as metrics:
        shop = Shop(rollouts_plane.kube(), watched, namespace, metrics)
        expect(shop.rollout, is_healthy_on("0.9.0"), within=WITHIN)
        yield shop


def test_a_good_canary_goes_through(shop: Shop) -> None:
    shop.apply(NEW)
    run = expect(shop.analysis, analysis_successful(), within=WITHIN)
    assert [(each.phase, each.numbers) for each in run.measurements("memory")] == [("Successful", (90.0,))] * 2
    rollout = expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)
    assert rollout.stable
    assert rollout.stable.images == (NEW,)
    assert (rollout.step, rollout.weight, rollout.aborted) == (5, 100, False)
    one_of_three = all_of(is_analysed(at_weight=20), has_canary_pods(1, of=3))
    way = passed_through(is_paused_at(20), one_of_three, is_paused_at(50), is_healthy_on("1.0.0"))
    expect(shop.rollout, way, within=0)
    expect(shop.rollout, never_was(is_aborted()), within=0)
    told = [entry.text for entry in shop.cache.timeline.entries(shop.namespace)]
    assert "memory Successful [90]" in told
    assert "Paused: CanaryPauseStep" in told


def test_a_canary_above_the_limit_is_aborted(shop: Shop, memory: dict[str, Any]) -> None:
    memory["body"] = prometheus_answer("248.328125")
    shop.apply(NEW)
    expect(shop.analysis, analysis_failed(above=LIMIT), within=WITHIN)
    rollout = expect(shop.rollout, is_aborted(because='Metric "memory" assessed Failed'), within=WITHIN)
    assert rollout.aborted_at
    expect(shop.rollout, has_canary_pods(0, of=3), within=WITHIN)
    expect(shop.rollout, is_stable_on("0.9.0"), within=WITHIN)
    assert rollout.asks_for("1.0.0")
    with pytest.raises(ExpectationFailed, match="cannot become so any more"):
        expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)
    with pytest.raises(ExpectationFailed, match="for another reason"):
        expect(shop.rollout, is_aborted(because="deadline"), within=WITHIN)


def test_after_a_rollback_the_same_release_with_another_template_goes_through(
    shop: Shop, memory: dict[str, Any]
) -> None:
    memory["body"] = prometheus_answer("248.328125")
    shop.apply(NEW)
    expect(shop.rollout, is_aborted(), within=WITHIN)
    memory["body"] = prometheus_answer("90")
    lighter = rollout_manifest(shop.namespace, NEW)["spec"]["template"]
    lighter["spec"]["containers"][0]["args"] = ["--light"]
    shop.apply(NEW, template=lighter)
    expect(shop.analysis, analysis_successful(), within=WITHIN)
    expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)


def test_no_data_is_no_failure_by_the_limit(shop: Shop, memory: dict[str, Any]) -> None:
    shop.judge_by(successCondition=SUCCESS, failureCondition=FAILURE)
    memory["body"] = prometheus_answer()
    shop.apply(NEW)
    with pytest.raises(ExpectationFailed, match="ended Inconclusive"):
        expect(shop.analysis, analysis_failed(above=LIMIT), within=WITHIN)
    expect(shop.analysis, analysis_inconclusive(), within=WITHIN)
    expect(shop.rollout, is_paused_for_a_decision(), within=WITHIN)
    expect(shop.rollout, has_canary_pods(1, of=3), within=WITHIN)
    with pytest.raises(ExpectationFailed, match="a person's decision"):
        expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)


def test_no_data_that_is_called_a_failure(shop: Shop, memory: dict[str, Any]) -> None:
    memory["body"] = prometheus_answer()
    shop.apply(NEW)
    with pytest.raises(ExpectationFailed, match="not by a measurement above 150"):
        expect(shop.analysis, analysis_failed(above=LIMIT), within=WITHIN)


def test_a_metric_that_cannot_be_had(shop: Shop, memory: dict[str, Any]) -> None:
    shop.judge_by(successCondition=SUCCESS, consecutiveErrorLimit=0)
    memory["status"] = 503
    shop.apply(NEW)
    expect(shop.analysis, analysis_error(because="503"), within=WITHIN)
    expect(shop.rollout, is_aborted(because="consecutiveErrors"), within=WITHIN)


@pytest.mark.parametrize("abort", [True, False])
def test_a_canary_that_never_gets_ready(shop: Shop, kubelet: Kubelet, abort: bool) -> None:
    broken = f"shop:broken-{abort}"
    kubelet.statuses[broken] = waiting("ContainerCreating", "")
    shop.apply(broken, progressDeadlineSeconds=2, progressDeadlineAbort=abort)
    expect(shop.rollout, is_degraded(because=PROGRESS_DEADLINE), within=WITHIN)
    if abort:
        expect(shop.rollout, is_aborted(because=PROGRESS_DEADLINE), within=WITHIN)
        expect(shop.rollout, has_canary_pods(0, of=3), within=WITHIN)
        with pytest.raises(ExpectationFailed, match="ended without an analysis"):
            expect(shop.analysis, analysis_successful(), within=WITHIN)
    expect(shop.rollout, never_was(is_analysed()), within=0)
    expect(shop.rollout, is_stable_on("0.9.0"), within=WITHIN)


def test_an_image_that_is_not_there(shop: Shop, kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_e2e.pipeline.pods._PULL_PATIENCE", 1.0)
    kubelet.statuses["shop:missing"] = waiting("ImagePullBackOff", "shop:missing: not found")
    shop.apply("shop:missing")
    with pytest.raises(ExpectationFailed, match="ImagePullBackOff: shop:missing: not found") as failed:
        expect(shop.rollout, is_healthy_on("missing"), within=WITHIN)
    assert "cannot become so any more" in str(failed.value)
    assert "what happened last" in str(failed.value)


def test_an_invalid_spec(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_e2e.pipeline.rollout._INVALID_SPEC_PATIENCE", 1.0)
    steps: list[Manifest] = [{"analysis": {"templates": [{"templateName": "no-such-template"}]}}]
    shop.apply(NEW, strategy={"canary": {"steps": steps}})
    with pytest.raises(ExpectationFailed, match=r"InvalidSpec.*no-such-template"):
        expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)


def test_what_was_before_the_change_is_no_answer(shop: Shop) -> None:
    shop.apply(OLD)
    with pytest.raises(ExpectationFailed, match="still at generation"):
        expect(shop.rollout, is_healthy_on("0.9.0"), within=0.2)


def test_a_state_that_is_over_is_told_to_be_impossible(shop: Shop) -> None:
    shop.apply(NEW)
    expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)
    with pytest.raises(ExpectationFailed, match="the update is complete"):
        expect(shop.rollout, is_at_weight(20), within=WITHIN)
    expect(shop.rollout, passed_through(is_at_weight(20)), within=0)
