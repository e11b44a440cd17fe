"""Readings of Rollouts and what is expected of them, on recorded sequences of the real controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_e2e.kube import PODS, Manifest
from gitops_e2e.pipeline.analysis import WatchedAnalysis, analysis_successful
from gitops_e2e.pipeline.replica_sets import REPLICA_SETS
from gitops_e2e.pipeline.rollout import (
    PROGRESS_DEADLINE,
    ROLLOUTS,
    Rollout,
    WatchedRollout,
    has_canary_pods,
    has_no_pods_of,
    is_aborted,
    is_aborted_at_its_deadline,
    is_analysed,
    is_at_weight,
    is_degraded,
    is_healthy_on,
    is_paused_at,
    is_paused_for_a_decision,
    is_stable_on,
    wants_replicas,
)
from gitops_e2e.watching import (
    Expectation,
    ExpectationFailed,
    WatchCache,
    all_of,
    expect,
    never_was,
    passed_through,
)
from tests.recorded import Recorded, idle_cache, play, put, recording

BEFORE_THE_UPDATE = 2
"""The generation of the recorded Rollouts before 1.0.0 was asked for."""


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def watched(cache: WatchCache, namespace: str, after: int = BEFORE_THE_UPDATE) -> WatchedRollout:
    return WatchedRollout(cache, namespace, "shop", after)


def is_update(change: Recorded) -> bool:
    generation = change.object["metadata"]["generation"] if change.object else 0
    return change.kind == "Rollout" and bool(generation > BEFORE_THE_UPDATE)


def until(name: str, so: Callable[[Manifest], bool]) -> list[Recorded]:
    """A recording up to the first state of the updated Rollout that is so, that one included."""
    changes = recording(name)
    for index, change in enumerate(changes):
        if is_update(change) and change.object and so(change.object):
            return changes[: index + 1]
    raise AssertionError(f"no such state in {name}")


def phase(wanted: str) -> Callable[[Manifest], bool]:
    def so(manifest: Manifest) -> bool:
        status = manifest["status"]
        seen = status["observedGeneration"] == str(manifest["metadata"]["generation"])
        return seen and bool(status["phase"] == wanted)

    return so


class TestWhichGeneration:
    def test_a_healthy_status_from_before_is_no_answer(self, cache: WatchCache) -> None:
        play(cache, until("good_canary", lambda _: True))
        manifest = cache.now().find(ROLLOUTS, "good-canary", "shop")
        assert manifest
        assert manifest["status"]["phase"] == "Healthy"
        with pytest.raises(ExpectationFailed, match="has not seen generation 3 yet, but 2"):
            expect(watched(cache, "good-canary"), is_healthy_on("1.0.0"), within=0)

    def test_what_was_there_before_the_commit_is_no_answer(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        expect(watched(cache, "rollback"), is_aborted(), within=0)
        with pytest.raises(ExpectationFailed, match="still at generation 3, which was there before"):
            expect(watched(cache, "rollback", after=3), is_aborted(), within=0)

    def test_there_is_no_such_rollout(self, cache: WatchCache) -> None:
        with pytest.raises(ExpectationFailed, match="there is no such Rollout"):
            expect(watched(cache, "nowhere"), is_aborted(), within=0)


class TestGoodCanary:
    def test_its_way(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        rollout = expect(
            watched(cache, "good-canary"),
            passed_through(
                is_paused_at(20),
                all_of(is_analysed(at_weight=20), has_canary_pods(1, of=3)),
                is_paused_at(50),
                is_healthy_on("1.0.0"),
            ),
            within=0,
        )
        assert rollout.stable
        assert rollout.stable.runs("1.0.0")
        assert rollout.stable.available == 3
        assert rollout.canary is None
        assert rollout.state == "Healthy at step 5 of 5, weight 100"

    def test_in_the_wrong_order(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        with pytest.raises(ExpectationFailed, match="is paused at weight 50"):
            expect(watched(cache, "good-canary"), passed_through(is_paused_at(50), is_paused_at(20)), within=0)

    def test_paused_at_20(self, cache: WatchCache) -> None:
        play(cache, until("good_canary", phase("Paused")))
        rollout = expect(watched(cache, "good-canary"), all_of(is_paused_at(20), has_canary_pods(1, of=3)), within=0)
        assert rollout.state == "Paused (CanaryPauseStep) at step 1 of 5, weight 20"
        assert rollout.steps == ("setWeight", "pause", "analysis", "setWeight", "pause")
        assert rollout.paused_since
        assert rollout.canary
        assert rollout.canary.images == ("shop:1.0.0",)
        expect(watched(cache, "good-canary"), is_stable_on("0.9.0"), within=0)
        for not_so in (is_paused_at(50), has_canary_pods(2, of=3), has_canary_pods(1, of=4), is_healthy_on("1.0.0")):
            assert pending(watched(cache, "good-canary"), not_so)
        expect(watched(cache, "good-canary"), has_no_pods_of("2.0.0"), within=0)
        for there in ("0.9.0", "1.0.0"):
            assert pending(watched(cache, "good-canary"), has_no_pods_of(there))

    def test_a_canary_pod_that_is_not_ready_does_not_count(self, cache: WatchCache) -> None:
        play(cache, until("good_canary", phase("Paused")))
        rollout = expect(watched(cache, "good-canary"), has_canary_pods(1, of=3), within=0)
        name = rollout.canary_pods[0].name
        manifest = cache.now().find(PODS, "good-canary", name)
        assert manifest
        put(cache, PODS, "good-canary", name, {**manifest, "status": {"phase": "Running"}})
        assert pending(watched(cache, "good-canary"), has_canary_pods(1, of=3))

    def test_pods_and_replica_sets_of_others_do_not_count(self, cache: WatchCache) -> None:
        play(cache, until("good_canary", phase("Paused")))
        rollout = expect(watched(cache, "good-canary"), has_canary_pods(1, of=3), within=0)
        assert rollout.canary
        manifest = cache.now().find(REPLICA_SETS, "good-canary", rollout.canary.name)
        pod = cache.now().find(PODS, "good-canary", rollout.canary_pods[0].name)
        assert manifest
        assert pod
        strange = {"kind": "Rollout", "uid": "another", "controller": True}
        other_set = {**manifest["metadata"], "name": "other", "uid": "other", "ownerReferences": [strange]}
        put(cache, REPLICA_SETS, "good-canary", "other", {**manifest, "metadata": other_set})
        owner = {"kind": "ReplicaSet", "uid": "other", "controller": True}
        other_pod = {**pod["metadata"], "name": "other", "uid": "other-pod", "ownerReferences": [owner]}
        put(cache, PODS, "good-canary", "other", {**pod, "metadata": other_pod})
        unchanged = expect(watched(cache, "good-canary"), has_canary_pods(1, of=3), within=0)
        assert unchanged == rollout

    def test_nothing_is_expected_of_a_canary_that_is_through(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        for over in (is_paused_at(20), is_at_weight(20), has_canary_pods(1, of=3), is_aborted(), is_degraded()):
            with pytest.raises(ExpectationFailed, match="the update is complete"):
                expect(watched(cache, "good-canary"), over, within=5)
        with pytest.raises(ExpectationFailed, match="and the update is over"):
            expect(watched(cache, "good-canary"), is_stable_on("0.9.0"), within=5)

    def test_nothing_went_wrong(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        expect(watched(cache, "good-canary"), never_was(is_degraded()), within=0)


def pending(subject: WatchedRollout, wanted: Expectation[Rollout]) -> bool:
    with pytest.raises(ExpectationFailed, match="was not so within") as failed:
        expect(subject, wanted, within=0)
    return bool(failed.value)


class TestRollback:
    def test_aborted_because_of_the_metric(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        rollout = expect(watched(cache, "rollback"), is_aborted(because="memory"), within=0)
        assert rollout.aborted_at
        assert rollout.weight == 0
        assert rollout.asks_for("1.0.0")
        assert rollout.message.startswith("RolloutAborted: Rollout aborted update to revision 2: Step-based analysis")
        expect(watched(cache, "rollback"), all_of(has_canary_pods(0, of=3), is_stable_on("0.9.0")), within=0)

    def test_canary_pods_are_still_there_at_the_moment_of_the_abort(self, cache: WatchCache) -> None:
        play(cache, until("rollback", phase("Degraded")))
        expect(watched(cache, "rollback"), is_aborted(), within=0)
        assert pending(watched(cache, "rollback"), has_canary_pods(0, of=3))

    def test_a_canary_pod_that_is_going_is_still_there(self, cache: WatchCache) -> None:
        changes = recording("rollback")
        going = [bool(each.object and "deletionTimestamp" in each.object["metadata"]) for each in changes]
        play(cache, changes[: going.index(True) + 1])
        assert pending(watched(cache, "rollback"), has_canary_pods(0, of=3))
        with pytest.raises(ExpectationFailed, match="aborted"):
            expect(watched(cache, "rollback"), has_canary_pods(1, of=3), within=0)

    def test_what_cannot_be_expected_any_more(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        for hopeless in (is_healthy_on("1.0.0"), is_paused_at(50), is_at_weight(50), has_canary_pods(1, of=3)):
            with pytest.raises(ExpectationFailed, match="aborted: RolloutAborted"):
                expect(watched(cache, "rollback"), hopeless, within=5)
        with pytest.raises(ExpectationFailed, match="and the update is over"):
            expect(watched(cache, "rollback"), is_stable_on("1.0.0"), within=5)

    def test_aborted_for_another_reason(self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch) -> None:
        play(cache, recording("rollback"))
        assert pending(watched(cache, "rollback"), is_aborted(because="deadline"))
        monkeypatch.setattr("gitops_e2e.pipeline.rollout._REASON_PATIENCE", 0.01)
        with pytest.raises(ExpectationFailed, match=r'for another reason: .*Metric "memory" assessed Failed'):
            expect(watched(cache, "rollback"), is_aborted(because="deadline"), within=5)


class TestProgressDeadline:
    def test_the_reason_is_found_though_the_controller_replaces_it(self, cache: WatchCache) -> None:
        play(cache, recording("progress_deadline"))
        rollout = expect(watched(cache, "progress-deadline"), is_aborted(because=PROGRESS_DEADLINE), within=0)
        assert rollout.message == "RolloutAborted: Rollout aborted update to revision 2"
        expect(watched(cache, "progress-deadline"), is_degraded(because=PROGRESS_DEADLINE), within=0)
        expect(watched(cache, "progress-deadline"), never_was(is_analysed()), within=0)

    def test_it_is_kept(self, cache: WatchCache) -> None:
        play(cache, recording("progress_deadline"))
        expect(watched(cache, "progress-deadline"), is_aborted_at_its_deadline(), within=0)

    @pytest.mark.parametrize("deadline", [1, 600])
    def test_an_abort_at_another_time_is_told(
        self, cache: WatchCache, deadline: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gitops_e2e.pipeline.rollout._DEADLINE_LATE", 1.0)
        changes = recording("progress_deadline")
        for change in changes:
            if change.kind == "Rollout" and change.object:
                change.object["spec"]["progressDeadlineSeconds"] = deadline
        play(cache, changes)
        with pytest.raises(ExpectationFailed, match=rf"aborted after \d+ s, with a deadline of {deadline} s"):
            expect(watched(cache, "progress-deadline"), is_aborted_at_its_deadline(), within=5)


def paused(reason: str) -> Manifest:
    return {"phase": "Paused", "message": reason, "pauseConditions": [{"reason": reason}]}


@pytest.fixture
def rollout(cache: WatchCache) -> Callable[..., WatchedRollout]:
    """The recorded Rollout at its first pause, with another status."""
    play(cache, until("good_canary", phase("Paused")))

    def with_status(**status: Any) -> WatchedRollout:
        manifest = cache.now().find(ROLLOUTS, "good-canary", "shop")
        assert manifest
        changed = {**manifest, "status": {**manifest["status"], **status}}
        put(cache, ROLLOUTS, "good-canary", "shop", changed)
        return watched(cache, "good-canary")

    return with_status


def test_replicas_that_are_asked_for(rollout: Callable[..., WatchedRollout]) -> None:
    expect(rollout(), wants_replicas(3), within=0)
    with pytest.raises(ExpectationFailed, match="observed: asks for 3 pods"):
        expect(rollout(), wants_replicas(4), within=0)


class TestHopelessStates:
    def test_inconclusive_analysis(self, rollout: Callable[..., WatchedRollout]) -> None:
        subject = rollout(**paused("InconclusiveAnalysisRun"))
        expect(subject, is_paused_for_a_decision(), within=0)
        with pytest.raises(ExpectationFailed, match="a person's decision"):
            expect(subject, is_healthy_on("1.0.0"), within=5)
        with pytest.raises(ExpectationFailed, match="a person's decision"):
            expect(subject, is_aborted(), within=5)

    def test_a_pause_step_is_no_decision(self, rollout: Callable[..., WatchedRollout]) -> None:
        assert pending(rollout(), is_paused_for_a_decision())

    def test_a_pause_that_was_lifted_is_none(self, rollout: Callable[..., WatchedRollout]) -> None:
        assert pending(rollout(pauseConditions=None), is_paused_at(20))

    @pytest.mark.parametrize("wanted", [is_paused_at(40), is_at_weight(40)])
    def test_a_weight_that_no_step_has_is_hopeless(
        self, rollout: Callable[..., WatchedRollout], wanted: Expectation[Rollout], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subject = rollout()
        assert pending(subject, wanted)
        monkeypatch.setattr("gitops_e2e.pipeline.rollout._STEP_PATIENCE", 0.01)
        with pytest.raises(ExpectationFailed, match=r"no step from here on has weight 40: Paused .* weight 20"):
            expect(subject, wanted, within=5)

    def test_a_deadline_that_does_not_abort_is_hopeless_only_if_it_lasts(
        self, rollout: Callable[..., WatchedRollout], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subject = rollout(phase="Degraded", message="ProgressDeadlineExceeded: it has timed out progressing.")
        assert pending(subject, is_aborted(because="ProgressDeadlineExceeded"))
        monkeypatch.setattr("gitops_e2e.pipeline.rollout._ABORT_PATIENCE", 0.01)
        with pytest.raises(ExpectationFailed, match="its deadline does not abort it: Degraded"):
            expect(subject, is_aborted(because="ProgressDeadlineExceeded"), within=5)

    def test_invalid_spec_is_hopeless_only_if_it_lasts(
        self, rollout: Callable[..., WatchedRollout], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invalid = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": "no template"}
        subject = rollout(phase="Degraded", message="InvalidSpec: no template", conditions=[invalid])
        assert pending(subject, is_healthy_on("1.0.0"))
        monkeypatch.setattr("gitops_e2e.pipeline.rollout._INVALID_SPEC_PATIENCE", 0.01)
        with pytest.raises(ExpectationFailed, match="InvalidSpec: no template"):
            expect(subject, is_healthy_on("1.0.0"), within=5)
        with pytest.raises(ExpectationFailed, match="InvalidSpec: no template"):
            expect(WatchedAnalysis(subject), analysis_successful(), within=5)

    def test_degraded_without_an_abort_may_get_better(self, rollout: Callable[..., WatchedRollout]) -> None:
        subject = rollout(phase="Degraded", message=f"{PROGRESS_DEADLINE}: no progress")
        expect(subject, is_degraded(because=PROGRESS_DEADLINE), within=0)
        assert pending(subject, is_aborted())
        assert pending(subject, is_healthy_on("1.0.0"))


def test_the_stable_release_needs_all_its_pods(cache: WatchCache) -> None:
    play(cache, recording("rollback"))
    rollout = expect(watched(cache, "rollback"), is_stable_on("0.9.0"), within=0)
    assert rollout.stable
    manifest = cache.now().find(REPLICA_SETS, "rollback", rollout.stable.name)
    assert manifest
    fewer = {**manifest, "status": {**manifest["status"], "availableReplicas": 2}}
    put(cache, REPLICA_SETS, "rollback", rollout.stable.name, fewer)
    assert pending(watched(cache, "rollback"), is_stable_on("0.9.0"))


@pytest.mark.parametrize(
    ("step", "aborted", "weight"),
    [(0, False, 20), (1, False, 20), (2, False, 20), (3, False, 50), (4, False, 50), (5, False, 100), (0, True, 0)],
)
def test_weight_by_step(cache: WatchCache, step: int, aborted: bool, weight: int) -> None:
    play(cache, until("good_canary", phase("Paused")))
    manifest = cache.now().find(ROLLOUTS, "good-canary", "shop")
    assert manifest
    status = {**manifest["status"], "currentStepIndex": step, "abort": aborted}
    assert Rollout.of({**manifest, "status": status}).weight == weight


def test_its_story(cache: WatchCache) -> None:
    play(cache, recording("rollback"))
    texts = [entry.text for entry in cache.timeline.entries("rollback") if entry.kind == "Rollout"]
    new, old = "76cd6657d9", "c99cd8457"
    aborted = "Rollout aborted update to revision 2"
    failed = 'Metric "memory" assessed Failed due to failed (1) > failureLimit (0)'
    assert texts[texts.index("asks for shop:1.0.0") :] == [
        "asks for shop:1.0.0",
        "Progressing: more replicas need to be updated",
        f"step 0 of 5, weight 20, release {new}",
        f"step 1 of 5, weight 20, release {new}",
        "Paused: CanaryPauseStep",
        "Progressing: more replicas need to be updated",
        f"step 2 of 5, weight 20, release {new}",
        f"Degraded: RolloutAborted: {aborted}: Step-based analysis phase error/failed: {failed}",
        f"step 0 of 5, weight 0, release {new}",
        f"aborted, release {old} stays",
    ]


def test_the_sizes_of_its_replica_sets_are_told(cache: WatchCache) -> None:
    play(cache, recording("good_canary"))
    sizes = [entry for entry in cache.timeline.entries("good-canary") if entry.data.get("release") == "76cd6657d9"]
    counts = [(size.data["desired"], size.data["ready"]) for size in sizes if size.what == "size"]
    assert counts == [(0, 0), (1, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 2), (3, 3)]


@pytest.mark.parametrize("stable", ["", "the same"])
def test_the_first_release_and_the_one_that_serves_have_no_canary(cache: WatchCache, stable: str) -> None:
    play(cache, until("good_canary", phase("Paused")))
    manifest = cache.now().find(ROLLOUTS, "good-canary", "shop")
    assert manifest
    rollout = Rollout.of(
        {**manifest, "status": {"currentStepIndex": 0, "currentPodHash": "the same", "stableRS": stable}}
    )
    assert rollout.weight == 100
