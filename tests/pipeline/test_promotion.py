"""Promotions, on what the real Kargo 1.8.4 reported."""

from __future__ import annotations

import pytest

from gitops_e2e.pipeline.freight import WatchedFreight
from gitops_e2e.pipeline.kargo import PROMOTIONS
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.promotion import (
    NewestPromotion,
    Promotion,
    WatchedPromotion,
    has_begun,
    is_aborted,
    is_at,
    is_created,
    is_errored,
    is_over,
    is_running,
    skipped,
    succeeds,
)
from gitops_e2e.watching import ExpectationFailed, Impossible, WatchCache, expect, passed_through
from tests.kargo_recorded import PROJECT, objects, play, sequence, story
from tests.recorded import idle_cache

NAMES = PipelineNames(PROJECT)
GOOD = "dev.01m844dphfk9fn7v9q37x7pa0q.c4d3524"
ABORTED = "dev.01m845hx5strxcr3crhfd9ngqd.c240bb4"


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def named(cache: WatchCache, name: str) -> WatchedPromotion:
    return WatchedPromotion(cache, NAMES, "dev", name)


def newest(cache: WatchCache, version: str, stage: str) -> NewestPromotion:
    return NewestPromotion(WatchedFreight(cache, NAMES, version), stage)


class TestItsWay:
    def test_to_success(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, GOOD))
        way = passed_through(is_created(), is_running(), is_at("step-7"), succeeds())
        promotion = expect(named(cache, GOOD), way, within=0)
        assert [step.status for step in promotion.steps] == ["Succeeded"] * 7
        assert promotion.commit == promotion.outputs["promo-process::step-6"]["commit"]

    def test_it_is_pending_until_the_end(self, cache: WatchCache) -> None:
        states = sequence(PROMOTIONS, GOOD)
        for state in states[:-1]:
            play(cache, [state])
            with pytest.raises(ExpectationFailed, match="was not so within"):
                expect(named(cache, GOOD), succeeds(), within=0)
        play(cache, states[-1:])
        expect(named(cache, GOOD), succeeds(), within=0)

    def test_there_is_no_such_promotion(self, cache: WatchCache) -> None:
        with pytest.raises(ExpectationFailed, match="there is no such Promotion"):
            expect(named(cache, GOOD), is_over(), within=0)


class TestBadEnds:
    @pytest.mark.parametrize(
        ("name", "because"),
        [
            ("p6", 'no promotion step runner found for kind "no-such-step"'),
            ("p7", "invalid git-clone config"),
            ("p8", "invalid git-clear config"),
            ("p9", "error cloning"),
            ("p10", "must build at directory"),
            ("p11", "does not permit mutation by Kargo Stage dev"),
            ("p12", "unable to find Argo CD Application"),
            ("toabort", "timed out after 5m0s"),
        ],
    )
    def test_errored(self, cache: WatchCache, name: str, because: str) -> None:
        play(cache, sequence(PROMOTIONS, name))
        expect(named(cache, name), is_errored(because), within=0)
        with pytest.raises(ExpectationFailed, match="cannot become so any more") as failed:
            expect(named(cache, name), succeeds(), within=60)
        assert isinstance(failed.value.verdict, Impossible)
        assert because in str(failed.value)

    def test_for_another_reason(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, "p6"))
        with pytest.raises(ExpectationFailed, match="for another reason: Errored"):
            expect(named(cache, "p6"), is_errored("error cloning"), within=60)

    def test_success_when_an_error_was_wanted(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, GOOD))
        with pytest.raises(ExpectationFailed, match="ended Succeeded"):
            expect(named(cache, GOOD), is_errored(), within=60)

    def test_aborted_by_a_person(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, ABORTED))
        promotion = expect(named(cache, ABORTED), is_aborted("terminated by kubernetes:admin"), within=0)
        assert [step.status for step in promotion.steps] == ["Aborted"]
        assert promotion.commit == ""
        with pytest.raises(ExpectationFailed, match="it is over: Aborted"):
            expect(named(cache, ABORTED), is_running(), within=60)

    def test_nothing_was_skipped(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, GOOD))
        with pytest.raises(ExpectationFailed, match="step commit was Succeeded"):
            expect(named(cache, GOOD), skipped("commit"), within=60)

    def test_a_commit_that_had_nothing_to_do(self, cache: WatchCache) -> None:
        play(cache, sequence(PROMOTIONS, "dev.01m845k1dj9mw6hcg9pdmc5xfr.c240bb4"))
        expect(named(cache, "dev.01m845k1dj9mw6hcg9pdmc5xfr.c240bb4"), skipped("commit"), within=0)


class TestNewest:
    def test_of_a_release_and_a_stage(self, cache: WatchCache) -> None:
        play(cache, objects("after-first-rollback/freights"), objects("after-first-rollback/promotions"))
        for stage in ("dev", "staging", "prod"):
            assert expect(newest(cache, "1.0.0", stage), succeeds(), within=0).stage == stage

    def test_the_last_one_counts(self, cache: WatchCache) -> None:
        play(cache, objects("at-the-end/freights"), objects("at-the-end/promotions"))
        promotion = expect(newest(cache, "1.1.0", "dev"), succeeds(), within=0)
        assert promotion.name == "dev.01m845k1dj9mw6hcg9pdmc5xfr.c240bb4"

    def test_none_yet(self, cache: WatchCache) -> None:
        with pytest.raises(ExpectationFailed, match=r"Freight of 1\.0\.0: there is none"):
            expect(newest(cache, "1.0.0", "dev"), is_created(), within=0)
        play(cache, objects("after-first-rollback/freights"))
        with pytest.raises(ExpectationFailed, match="none yet of independent-horse"):
            expect(newest(cache, "1.0.0", "dev"), is_created(), within=0)


def test_the_story(cache: WatchCache) -> None:
    play(cache, sequence(PROMOTIONS, GOOD))
    texts = story(cache)
    assert texts[:3] == ["Freight c4d3524 is to be promoted to dev", "Pending", "Running"]
    assert texts[-2:] == ["step step-7 Succeeded", "Succeeded"]
    commit = Promotion.of(sequence(PROMOTIONS, GOOD)[-1]).commit
    assert texts.count(f"pushed {commit[:7]}") == 1
    assert len(texts) == len(set(texts))


def test_it_has_begun_once_the_stage_lets_it_run(cache: WatchCache) -> None:
    begun = [False, False, True, True, True]
    for state, so in zip(sequence(PROMOTIONS, GOOD), begun, strict=True):
        assert has_begun(cache.now(), PROJECT, GOOD) is False or so
        play(cache, [state])
        assert has_begun(cache.now(), PROJECT, GOOD) is so
