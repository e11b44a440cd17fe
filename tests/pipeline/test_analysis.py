"""AnalysisRuns: what was measured, and which end was expected."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import (
    ANALYSIS_RUNS,
    AnalysisRun,
    WatchedAnalysis,
    analysis_asks,
    analysis_error,
    analysis_failed,
    analysis_failed_below,
    analysis_inconclusive,
    analysis_started,
    analysis_successful,
    has_measured,
    has_recorded,
    narrate,
    numbers_in,
)
from gitops_e2e.pipeline.rollout import WatchedRollout
from gitops_e2e.watching import Expectation, ExpectationFailed, Pending, WatchCache, expect
from tests.recorded import idle_cache, play, put, recording

LIMIT = 150.0


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def watched(cache: WatchCache, namespace: str, step: int | None = None, after: int = 2) -> WatchedAnalysis:
    return WatchedAnalysis(WatchedRollout(cache, namespace, "shop", after), step)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("[248.328125]", (248.328125,)),
        ("[248.3,NaN,90]", (248.3, 90.0)),
        ("[+Inf]", ()),
        ("[-Inf,1]", (1.0,)),
        ("[]", ()),
        ("NaN", ()),
        ("0.97", (0.97,)),
        ("3", (3.0,)),
        ('"healthy"', ()),
        ('"12"', ()),
        ("true", ()),
        ("null", ()),
        ('{"count": 3}', ()),
        ("<html>", ()),
        ("", ()),
    ],
)
def test_numbers_of_a_value(value: str, numbers: tuple[float, ...]) -> None:
    assert numbers_in(value) == numbers


class TestRecorded:
    def test_failed_by_a_measurement_above_the_limit(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        run = expect(watched(cache, "rollback"), analysis_failed(above=LIMIT, metric="memory"), within=0)
        assert run.name == "shop-76cd6657d9-2-2"
        assert run.step == 2
        assert run.started
        assert run.completed
        assert [each.numbers for each in run.measurements()] == [(248.328125,)]

    def test_failed_but_not_above_that_limit(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        with pytest.raises(ExpectationFailed, match="Failed, but not by a measurement above 300"):
            expect(watched(cache, "rollback"), analysis_failed(above=300), within=5)
        with pytest.raises(ExpectationFailed, match="not by a measurement above"):
            expect(watched(cache, "rollback"), analysis_failed(above=LIMIT, metric="latency"), within=5)

    def test_successful(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        run = expect(watched(cache, "good-canary"), analysis_successful(), within=0)
        assert [each.numbers for each in run.measurements("memory")] == [(90.0,), (90.0,)]

    @pytest.mark.parametrize(
        "wanted", [analysis_failed(above=LIMIT), analysis_error(), analysis_inconclusive()], ids=lambda it: it.sentence
    )
    def test_another_end_is_final(self, cache: WatchCache, wanted: Expectation[AnalysisRun]) -> None:
        play(cache, recording("good_canary"))
        with pytest.raises(ExpectationFailed, match="ended Successful"):
            expect(watched(cache, "good-canary"), wanted, within=5)

    def test_an_update_that_ended_without_one(self, cache: WatchCache) -> None:
        play(cache, recording("progress_deadline"))
        with pytest.raises(ExpectationFailed, match="the update ended without an analysis: Degraded"):
            expect(watched(cache, "progress-deadline"), analysis_started(), within=5)

    def test_that_of_another_step(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        expect(watched(cache, "good-canary", step=2), analysis_successful(), within=0)
        with pytest.raises(ExpectationFailed, match="Analysis of step 4 of Rollout shop"):
            expect(watched(cache, "good-canary", step=4), analysis_successful(), within=0)

    def test_that_of_an_earlier_update_is_no_answer(self, cache: WatchCache) -> None:
        play(cache, recording("rollback"))
        with pytest.raises(ExpectationFailed, match="still at generation"):
            expect(watched(cache, "rollback", after=3), analysis_failed(above=LIMIT), within=0)

    def test_how_often_something_was_measured_is_known_at_its_end(self, cache: WatchCache) -> None:
        subject, wanted = watched(cache, "good-canary"), has_measured("Successful", "memory", at_least=1, at_most=1)
        for change in recording("good_canary"):
            play(cache, [change])
            if change.kind == "AnalysisRun" and change.object and list(AnalysisRun.of(change.object).measurements()):
                break
        with pytest.raises(ExpectationFailed, match="memory Successful 1 times") as failure:
            expect(subject, wanted, within=0)
        assert isinstance(failure.value.verdict, Pending)

        play(cache, recording("good_canary"))
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(subject, wanted, within=5)

    def test_the_measurements_are_told(self, cache: WatchCache) -> None:
        play(cache, recording("good_canary"))
        told = [entry for entry in cache.timeline.entries("good-canary") if entry.kind == "AnalysisRun"]
        assert [entry.text for entry in told] == [
            "created",
            "memory Successful [90]",
            "Running",
            "memory Successful [90]",
            "Successful",
        ]
        assert told[1].data["numbers"] == [90.0]


@pytest.fixture
def run(cache: WatchCache) -> Manifest:
    """The recorded AnalysisRun of the rollback, its Rollout still waiting for it."""
    for change in recording("rollback"):
        play(cache, [change])
        if change.kind == "AnalysisRun" and change.object:
            return change.object
    raise AssertionError("no AnalysisRun was recorded")


def ended(
    cache: WatchCache, run: Manifest, phase: str, *measurements: dict[str, Any], **result: Any
) -> WatchedAnalysis:
    results = [{"name": "memory", "phase": phase, "measurements": list(measurements), **result}]
    status = {"phase": phase, "message": "said", "metricResults": results}
    put(cache, ANALYSIS_RUNS, "rollback", run["metadata"]["name"], {**run, "status": status})
    return watched(cache, "rollback")


def measured(phase: str, value: str = "", message: str = "", at: int = 0) -> dict[str, Any]:
    return {"phase": phase, "value": value, "message": message, "finishedAt": f"2026-01-01T00:00:{at:02}Z"}


class TestEnds:
    def test_not_yet(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Running", measured("Successful", "[90]"))
        with pytest.raises(ExpectationFailed, match=r"was not so within(.|\n)*memory: Successful \[90\]"):
            expect(subject, analysis_failed(above=LIMIT), within=0)
        expect(subject, analysis_started(), within=0)

    @pytest.mark.parametrize("value", ["[]", "[NaN]", "NaN", ""])
    def test_no_number_never_failed_by_the_limit(self, cache: WatchCache, run: Manifest, value: str) -> None:
        subject = ended(cache, run, "Failed", measured("Failed", value))
        with pytest.raises(ExpectationFailed, match="not by a measurement above"):
            expect(subject, analysis_failed(above=LIMIT), within=5)

    def test_a_high_measurement_that_did_not_fail_does_not_count(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Failed", measured("Successful", "[900]"), measured("Failed", "[1]", at=1))
        with pytest.raises(ExpectationFailed, match="not by a measurement above"):
            expect(subject, analysis_failed(above=LIMIT), within=5)

    def test_a_dry_run_does_not_count(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Failed", measured("Failed", "[900]"), dryRun=True)
        with pytest.raises(ExpectationFailed, match="not by a measurement above"):
            expect(subject, analysis_failed(above=LIMIT), within=5)

    def test_below_a_limit(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Failed", measured("Successful", "[97]"), measured("Failed", "[90]", at=1))
        expect(subject, analysis_failed_below(95, "memory"), within=0)
        for limit, metric in ((90, "memory"), (95, "latency")):
            with pytest.raises(ExpectationFailed, match=f"not by a measurement below {limit}"):
                expect(subject, analysis_failed_below(limit, metric), within=5)

    @pytest.mark.parametrize("value", ["[]", "[NaN]", ""])
    def test_no_number_is_not_below_a_limit(self, cache: WatchCache, run: Manifest, value: str) -> None:
        subject = ended(cache, run, "Failed", measured("Failed", value))
        with pytest.raises(ExpectationFailed, match="not by a measurement below"):
            expect(subject, analysis_failed_below(95, "memory"), within=5)

    def test_how_often_something_was_measured(self, cache: WatchCache, run: Manifest) -> None:
        measurements = (measured("Failed"), measured("Successful", at=1), measured("Successful", at=2))
        subject = ended(cache, run, "Successful", *measurements)
        expect(subject, has_measured("Successful", "memory", at_least=2, at_most=2), within=0)
        expect(subject, has_measured("Failed", "memory", at_least=1), within=0)
        for unwanted in (
            has_measured("Failed", "memory", at_least=2),
            has_measured("Successful", "memory", at_least=1, at_most=1),
        ):
            with pytest.raises(ExpectationFailed, match="cannot become so any more"):
                expect(subject, unwanted, within=5)

    @pytest.mark.parametrize(
        ("bounds", "told"),
        [((1, math.inf), "at least 1 times"), ((2, 2), "2 times"), ((0, 2), "0 to 2 times")],
        ids=["one", "exact", "both"],
    )
    def test_both_bounds_are_told(self, bounds: tuple[int, float], told: str) -> None:
        at_least, at_most = bounds
        wanted = has_measured("Failed", "memory", at_least=at_least, at_most=at_most)
        assert wanted.sentence == f"has measured memory Failed {told}"

    def test_what_is_only_recorded(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Successful", measured("Failed"), dryRun=True)
        expect(subject, has_recorded("Failed", "memory"), within=0)
        for phase, metric in (("Successful", "memory"), ("Failed", "latency")):
            with pytest.raises(ExpectationFailed, match="cannot become so any more"):
                expect(subject, has_recorded(phase, metric), within=5)

    def test_what_decides_is_not_only_recorded(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Failed", measured("Failed"))
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(subject, has_recorded("Failed", "memory"), within=5)

    def test_error(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Error", measured("Error", message="dial tcp: connection refused"))
        expect(subject, analysis_error(because="connection refused"), within=0)
        with pytest.raises(ExpectationFailed, match="for another reason"):
            expect(subject, analysis_error(because="timeout"), within=5)
        with pytest.raises(ExpectationFailed, match="ended Error"):
            expect(subject, analysis_failed(above=LIMIT), within=5)

    def test_inconclusive(self, cache: WatchCache, run: Manifest) -> None:
        subject = ended(cache, run, "Inconclusive", measured("Inconclusive", "[]"))
        expect(subject, analysis_inconclusive(), within=0)
        with pytest.raises(ExpectationFailed, match="ended Inconclusive"):
            expect(subject, analysis_successful(), within=5)

    def test_whom_it_asks(self, cache: WatchCache, run: Manifest) -> None:
        def asking(*hosts: str) -> WatchedAnalysis:
            metrics = [{"name": "web", "provider": {"web": {"url": f"http://{host}:3000/health"}}} for host in hosts]
            put(cache, ANALYSIS_RUNS, "rollback", run["metadata"]["name"], {**run, "spec": {"metrics": metrics}})
            return watched(cache, "rollback")

        expect(asking("shop.staging.svc", "shop.staging.svc"), analysis_asks("shop.staging.svc"), within=0)
        for hosts in ((), ("shop.dev.svc",), ("shop.staging.svc", "shop.dev.svc")):
            with pytest.raises(ExpectationFailed, match=f"asks .*{hosts[-1] if hosts else 'nobody'}"):
                expect(asking(*hosts), analysis_asks("shop.staging.svc"), within=5)

    def test_one_of_another_rollout_is_not_taken(self, cache: WatchCache, run: Manifest) -> None:
        strange = {"kind": "Rollout", "uid": "another", "controller": True}
        metadata = {**run["metadata"], "ownerReferences": [strange]}
        put(cache, ANALYSIS_RUNS, "rollback", run["metadata"]["name"], {**run, "metadata": metadata})
        with pytest.raises(ExpectationFailed, match="no analysis yet; the Rollout is Progressing"):
            expect(watched(cache, "rollback"), analysis_started(), within=0)

    def test_the_newest_of_a_retried_step_counts(self, cache: WatchCache, run: Manifest) -> None:
        ended(cache, run, "Failed", measured("Failed", "[900]"))
        name = run["metadata"]["name"] + ".1"
        retried = {**run, "metadata": {**run["metadata"], "name": name}, "status": {"phase": "Successful"}}
        put(cache, ANALYSIS_RUNS, "rollback", name, retried)
        assert expect(watched(cache, "rollback"), analysis_successful(), within=0).name == name


class TestStory:
    def told(self, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
        def run(measurements: list[dict[str, Any]]) -> Manifest:
            results = [{"name": "memory", "measurements": measurements}]
            return {"metadata": {"name": "run"}, "status": {"phase": "Running", "metricResults": results}}

        return [fact.text for fact in narrate(run(before), run(after))]

    def test_each_measurement_once(self) -> None:
        first, second = measured("Successful", "[1]", at=1), measured("Successful", "[2]", at=2)
        assert self.told([first], [first, second]) == ["memory Successful [2]"]
        assert self.told([first, second], [first, second]) == []

    def test_equal_measurements_are_two(self) -> None:
        same = measured("Successful", "[1]")
        assert self.told([same], [same, same]) == ["memory Successful [1]"]

    def test_the_controller_forgets_old_ones(self) -> None:
        ten = [measured("Successful", f"[{n}]", at=n) for n in range(10)]
        assert self.told(ten, [*ten[1:], measured("Failed", "[99]", at=10)]) == ["memory Failed [99]"]

    def test_one_under_way_is_told_when_it_is_finished(self) -> None:
        running = {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"}
        done = measured("Successful", "[1]")
        assert self.told([], [running]) == []
        assert self.told([running], [done]) == ["memory Successful [1]"]
