from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gitops_e2e.report.pace import Pace
from gitops_e2e.report.record import RunBegin, RunRecord, ScenarioRecord, StepRecord, Surroundings

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_ON = Surroundings("node", "e2e-1", {}, pods_at_once=10)


def at(second: float) -> datetime:
    return _BEGIN + timedelta(seconds=second)


def scenario(started: float, seconds: float, *steps: tuple[float, float]) -> ScenarioRecord:
    taken = tuple(StepRecord("When", "it does", 1, "passed", at(since), took) for since, took in steps)
    return ScenarioRecord("shop.feature", "it", 1, None, {}, "passed", at(started), seconds, taken)


def pod(name: str, what: str, second: float) -> dict[str, object]:
    return {"kind": "Pod", "namespace": "dev", "name": name, "what": what, "wall": at(second).isoformat()}


def run(*scenarios: ScenarioRecord) -> RunRecord:
    return RunRecord(RunBegin("run", _BEGIN, "", "pytest"), surroundings=_ON, scenarios=scenarios)


def test_set_up_and_waiting_for_others_do_not_count() -> None:
    pace = Pace.of(run(scenario(0, 100, (60, 5), (65, 20)), scenario(0, 130, (110, 15))), [])

    assert pace == Pace(after_set_up=70, longest=25, pod_seconds=0, capacity=10)


def test_pods_count_from_their_making_to_their_end_or_to_that_of_the_run() -> None:
    timeline = [
        pod("of-the-stack", "created", 50),
        pod("one", "created", 61),
        pod("two", "created", 62),
        {**pod("one", "ready", 63), "kind": "Rollout"},
        pod("one", "gone", 71),
        pod("of-the-stack", "gone", 72),
    ]

    pace = Pace.of(run(scenario(0, 80, (60, 10))), timeline)

    assert pace is not None
    assert pace.pod_seconds == 10 + 18


def test_the_goal_goes_by_what_takes_longest() -> None:
    crowded, long = Pace(300, 80, 900, 10), Pace(300, 80, 100, 10)
    assert "scenarios took 300 s after set-up; the longest 80 s" in str(crowded)
    assert "90 s with 10 at once (goal: 112 s)" in str(crowded)
    assert "(goal: 100 s)" in str(long)
    assert (crowded.least, long.least) == (90, 80)


def test_a_run_that_took_no_step_has_no_pace() -> None:
    assert Pace.of(run(scenario(0, 1)), []) is None


def test_a_run_that_came_to_no_cluster_has_no_pace() -> None:
    assert Pace.of(replace(run(scenario(0, 100, (60, 5))), surroundings=None), []) is None
