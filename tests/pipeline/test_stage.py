"""Stages and their verifications, on what the real Kargo 1.8.4 reported."""

from __future__ import annotations

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import AnalysisRun, analysis_successful
from gitops_e2e.pipeline.kargo import STAGES
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.stage import (
    Stage,
    WatchedStage,
    WatchedVerification,
    has_freight,
    has_no_freight,
    has_taken_over,
    has_verification,
    has_verified,
    is_healthy_with,
    is_idle,
    is_progressing_with,
    is_promoting,
    is_ready_with,
    is_unhealthy_with,
    promotes_by_hand,
    promotes_by_itself,
)
from gitops_e2e.watching import Expectation, ExpectationFailed, WatchCache, expect, passed_through
from tests.kargo_recorded import PROJECT, objects, play, sequence, story
from tests.recorded import idle_cache

NAMES = PipelineNames(PROJECT)
TO_STAGING = "staging.01m844e92s09sr3qng7b1ytp1p.c4d3524"


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def staging(cache: WatchCache) -> WatchedStage:
    return WatchedStage(cache, NAMES, "staging")


def pending(subject: WatchedStage, wanted: Expectation[Stage]) -> bool:
    with pytest.raises(ExpectationFailed, match="was not so within") as failed:
        expect(subject, wanted, within=0)
    return bool(failed.value)


def until_it_has(version: str) -> list[Manifest]:
    """The states of staging before that Freight became current."""
    states = sequence(STAGES, "staging")
    return states[: next(index for index, each in enumerate(states) if Stage.of(each).has(version))]


class TestTheWay:
    def test_of_a_release(self, cache: WatchCache) -> None:
        play(cache, sequence(STAGES, "staging"))
        way = passed_through(
            is_ready_with("1.0.0"),
            is_promoting(TO_STAGING),
            has_taken_over(TO_STAGING),
            is_progressing_with("1.0.1"),
            is_healthy_with("1.0.1"),
            has_verified("1.0.1"),
            is_ready_with("1.0.1"),
        )
        expect(staging(cache), way, within=0)

    def test_what_is_said_of_the_release_before_is_no_answer(self, cache: WatchCache) -> None:
        for state in until_it_has("1.0.1"):
            play(cache, [state])
            for wanted in (has_freight, is_healthy_with, has_verified, is_ready_with):
                assert pending(staging(cache), wanted("1.0.1"))

    def test_before_anything_is_promoted(self, cache: WatchCache) -> None:
        assert pending(staging(cache), has_no_freight())
        fresh = {"metadata": {"name": "staging", "namespace": PROJECT}, "kind": "Stage", "spec": {}}
        play(cache, [fresh])
        expect(staging(cache), has_no_freight(), within=0)

    def test_what_it_has_it_does_not_give_away(self, cache: WatchCache) -> None:
        play(cache, sequence(STAGES, "staging"))
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(staging(cache), has_no_freight(), within=60)

    def test_a_policy_lets_it_promote_by_itself(self, cache: WatchCache) -> None:
        *_, last = sequence(STAGES, "staging")
        play(cache, [last | {"status": last["status"] | {"autoPromotionEnabled": True}}])
        with pytest.raises(ExpectationFailed, match="it takes new Freight by itself"):
            expect(staging(cache), promotes_by_hand(), within=60)
        expect(staging(cache), promotes_by_itself(), within=0)
        play(cache, [last | {"status": last["status"] | {"autoPromotionEnabled": False}}])
        expect(staging(cache), promotes_by_hand(), within=0)
        with pytest.raises(ExpectationFailed, match="no policy lets it take new Freight by itself"):
            expect(staging(cache), promotes_by_itself(), within=0)
        expect(staging(cache), is_idle(), within=0)
        assert pending(staging(cache), has_freight("1.0.0"))


class TestHealth:
    def test_unhealthy_after_a_rollback(self, cache: WatchCache) -> None:
        play(cache, objects("after-first-rollback/stages"))
        prod = WatchedStage(cache, NAMES, "prod")
        stage = expect(prod, is_unhealthy_with("1.0.0", because='health state "Degraded"'), within=0)
        assert stage.verification is None
        assert pending(prod, is_healthy_with("1.0.0"))
        assert pending(prod, has_verified("1.0.0"))
        assert pending(prod, is_unhealthy_with("1.0.0", because="is suspended"))


class TestVerification:
    def failed(self, cache: WatchCache) -> None:
        play(cache, objects("at-the-end/stage-verification-failed"), objects("at-the-end/analysisruns"))

    def test_failed(self, cache: WatchCache) -> None:
        self.failed(cache)
        expect(staging(cache), has_verification("Failed", "1.1.0", because='Metric "health"'), within=0)
        run = WatchedVerification(staging(cache), "1.1.0").read(cache.now())
        assert isinstance(run, AnalysisRun)
        assert run.phase == "Failed"

    def test_a_failed_one_ends_the_wait_for_success(self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gitops_e2e.pipeline.stage._PATIENCE", 0.01)
        self.failed(cache)
        with pytest.raises(ExpectationFailed, match="the verification ended Failed"):
            expect(staging(cache), has_verified("1.1.0"), within=60)
        with pytest.raises(ExpectationFailed, match="ended Failed"):
            expect(WatchedVerification(staging(cache), "1.1.0"), analysis_successful(), within=60)

    def test_reverified(self, cache: WatchCache) -> None:
        self.failed(cache)
        play(cache, objects("at-the-end/stage-reverified"))
        stage = expect(staging(cache), has_verified("1.1.0"), within=0)
        assert [each.phase for each in stage.verifications] == ["Successful", "Failed"]
        expect(WatchedVerification(staging(cache), "1.1.0"), analysis_successful(), within=0)

    def test_of_another_release(self, cache: WatchCache) -> None:
        self.failed(cache)
        with pytest.raises(ExpectationFailed, match="none yet"):
            expect(WatchedVerification(staging(cache), "1.2.0"), analysis_successful(), within=0)
        assert pending(staging(cache), has_verification("Failed", "1.2.0"))


class TestPromotionsOutOfOrder:
    def test_a_name_that_sorts_before_the_last_one(self, cache: WatchCache) -> None:
        play(cache, sequence(STAGES, "dev"))
        with pytest.raises(ExpectationFailed, match="compares the names of Promotions as strings") as failed:
            expect(WatchedStage(cache, NAMES, "dev"), has_taken_over("dev.0"), within=60)
        assert "Name Promotions as Kargo does" in str(failed.value)

    def test_a_promotion_that_errored(self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gitops_e2e.pipeline.stage._PATIENCE", 0.01)
        states = sequence(STAGES, "dev")
        errored = next(i for i, each in enumerate(states) if (last := Stage.of(each).last) and last.name == "p6")
        play(cache, states[: errored + 1])
        with pytest.raises(ExpectationFailed, match="its Promotion p6 ended Errored: no promotion step runner"):
            expect(WatchedStage(cache, NAMES, "dev"), has_freight("1.1.0"), within=60)


def test_the_story(cache: WatchCache) -> None:
    play(cache, sequence(STAGES, "staging"))
    texts = story(cache)
    first = texts.index("has 10.231.0.2:5000/product-api:1.0.1")
    assert [text.partition(":")[0] for text in texts[first + 1 : first + 8]] == [
        *["Progressing"] * 3,
        "Healthy",
        "verification Pending",
        "verification Running",
        "verification Successful",
    ]
