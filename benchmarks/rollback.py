"""How much longer a rollback takes than it must."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.figure import Figure
from benchmarks.machine import BUDGETS, stack, tell_load
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import PODS
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS, AnalysisRun, analysis_failed
from gitops_e2e.pipeline.changes import pauses
from gitops_e2e.pipeline.memory import LIMIT
from gitops_e2e.pipeline.pipeline import BASELINE, Pipeline, Release
from gitops_e2e.pipeline.pods import Pod
from gitops_e2e.pipeline.rollout import ROLLOUTS, Rollout, has_canary_pods, is_aborted, is_healthy_on
from gitops_e2e.progress import say
from gitops_e2e.watching import Snapshot, expect

_RUNS = 3
_STAGE = "prod"
_METRIC = "memory"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True)
class Rollback:
    """How long one took, and what it could not take less than, in seconds."""

    seconds: float
    floor: float

    @property
    def ratio(self) -> float:
        """How much longer than it must."""
        return self.seconds / self.floor


def measure() -> Iterator[Figure]:
    """The run with the median ratio of three, on a ready stack, with pauses of 5 s.

    The time is from the moment when Git has the commit to that when the abort was seen. Its floor is the pause before
    the analysis, the initial delay of the metric and its interval as often as it was measured before it failed, all
    from the objects that were applied, and the time from PodScheduled to Ready of the canary's pod. Moments are those
    at which the watch delivered a state: the API's own times are in whole seconds.
    """
    with stack("rollback") as harness:
        pipeline = Pipeline.create(harness.platform, "bench", stages=[_STAGE], changes=[pauses(5)])
        pipeline.await_baseline(BUDGETS)
        runs = sorted((_roll_back(pipeline) for _ in range(_RUNS)), key=lambda run: run.ratio)
    middle = runs[_RUNS // 2]
    yield Figure("rollback_over_floor", middle.ratio, "ratio", goal=1.1, floor=1)
    yield Figure("rollback_s", middle.seconds, "s", floor=middle.floor)


def _roll_back(pipeline: Pipeline) -> Rollback:
    tell_load()
    release = pipeline.release(_STAGE, "1.0.0")
    pushed = time.monotonic() - (datetime.now(UTC) - release.at).total_seconds()
    expect(pipeline.rollout(_STAGE), is_aborted(because=_METRIC), within=BUDGETS.rollout_settled)
    analysis = expect(
        pipeline.analysis(_STAGE), analysis_failed(above=LIMIT, metric=_METRIC), within=BUDGETS.analysis_finished
    )
    since = [each for each in pipeline.platform.cache.history() if each.at >= pushed]
    rollback = Rollback(_aborted(pipeline, since) - pushed, _floor(pipeline, analysis, since))
    _tell(pipeline, release, rollback)
    _return(pipeline)
    return rollback


def _aborted(pipeline: Pipeline, since: list[Snapshot]) -> float:
    watched = pipeline.rollout(_STAGE)
    readings = ((watched.read(each), each.at) for each in since)
    return next(at for rollout, at in readings if isinstance(rollout, Rollout) and rollout.aborted_at)


def _floor(pipeline: Pipeline, analysis: AnalysisRun, since: list[Snapshot]) -> float:
    namespace, applied = pipeline.names.namespace(_STAGE), since[-1]
    rollout = applied.find(ROLLOUTS, namespace, pipeline.names.rollout) or {}
    run = applied.find(ANALYSIS_RUNS, namespace, analysis.name) or {}
    steps = rollout["spec"]["strategy"]["canary"]["steps"][: analysis.step]
    metric = next(each for each in run["spec"]["metrics"] if each["name"] == _METRIC)
    phases = [each.phase for each in analysis.measurements(_METRIC)]
    return (
        sum(_seconds(step["pause"]["duration"]) for step in steps if "pause" in step)
        + _seconds(metric.get("initialDelay", "0s"))
        + _seconds(metric["interval"]) * phases.index("Failed")
        + _starting(namespace, analysis.release, since)
    )


def _starting(namespace: str, release: str, since: list[Snapshot]) -> float:
    """How long the canary's pod took from PodScheduled to Ready."""
    states = ((Pod.of(pod), each.at) for each in since for pod in each.all(PODS, namespace))
    canary = [(pod, at) for pod, at in states if pod.release == release and not pod.going]
    return next(at for pod, at in canary if pod.ready) - next(at for pod, at in canary if pod.scheduled)


def _seconds(duration: str | int) -> float:
    """A duration as manifests have it: "1m30s", or a number of seconds."""
    found = _DURATION.fullmatch(str(duration))
    if not found or not any(found.groups()):
        if str(duration).isdigit():
            return float(duration)
        raise HarnessError(f"this is no duration: {duration}")
    hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return 3600.0 * hours + 60 * minutes + seconds


def _tell(pipeline: Pipeline, release: Release, rollback: Rollback) -> None:
    """Say what happened when, to see where time goes."""
    for entry in pipeline.platform.cache.timeline.entries(pipeline.names.namespace(_STAGE)):
        if entry.wall >= release.at:
            say(f"  +{(entry.wall - release.at).total_seconds():6.2f} {entry.kind} {entry.name}: {entry.text}")
    say(f"  rolled back in {rollback.seconds:.2f} s, at least {rollback.floor:.2f} s: {rollback.ratio:.3f}")


def _return(pipeline: Pipeline) -> None:
    """Let the stage ask for the release that it runs, so that the next run begins where this one did."""
    expect(pipeline.rollout(_STAGE), has_canary_pods(0, of=3), within=BUDGETS.pods_gone)
    pipeline.release(_STAGE, BASELINE)
    expect(pipeline.rollout(_STAGE), is_healthy_on(BASELINE), within=BUDGETS.rollout_settled)
