"""The AnalysisRun that judges a Rollout's canary: what it measured, and what can be expected of it.

All of its phases but Pending and Running are final: the controller never measures again (analysis/analysis.go).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.pipeline.pods import HASH_LABEL
from gitops_e2e.pipeline.reading import time_of
from gitops_e2e.pipeline.replica_sets import REVISION, owner_uid
from gitops_e2e.pipeline.rollout import Rollout, WatchedRollout, refused
from gitops_e2e.watching import (
    Expectation,
    Fact,
    Impossible,
    Met,
    Pending,
    Place,
    Snapshot,
    Verdict,
    WatchCache,
    expectation,
)

ANALYSIS_RUNS = Resource("argoproj.io/v1alpha1", "AnalysisRun", "analysisruns", namespaced=True)

_RUNNING = ("", "Pending", "Running")


@dataclass(frozen=True)
class Measurement:
    """One look at a metric. `value` is the provider's text, `numbers` the finite numbers in it."""

    phase: str
    value: str
    numbers: tuple[float, ...]
    message: str
    started: datetime | None
    finished: datetime | None

    @property
    def seconds(self) -> float:
        """How long it took, in whole seconds, as the controller writes times; 0 while it is not over."""
        return (self.finished - self.started).total_seconds() if self.started and self.finished else 0.0

    @staticmethod
    def of(measurement: Manifest) -> Measurement:
        """The measurement that a result holds."""
        value = measurement.get("value", "")
        return Measurement(
            measurement.get("phase", ""),
            value,
            numbers_in(value),
            measurement.get("message", ""),
            time_of(measurement.get("startedAt")),
            time_of(measurement.get("finishedAt")),
        )

    def __str__(self) -> str:
        return " ".join(part for part in (self.phase, self.value, self.message) if part)


def numbers_in(value: str) -> tuple[float, ...]:
    """The finite numbers of a measurement's value: of [248.3,NaN] the first, of [] and of a text none.

    A Prometheus vector is written as its numbers in brackets, a scalar as the number alone, NaN and Inf unquoted
    (metricproviders/prometheus); the web provider writes JSON.
    """
    try:
        parsed = json.loads(value.replace("+Inf", "Infinity").replace("-Inf", "-Infinity"))
    except ValueError:
        return ()
    found = parsed if isinstance(parsed, list) else [parsed]
    numbers = (float(each) for each in found if isinstance(each, int | float) and not isinstance(each, bool))
    return tuple(number for number in numbers if math.isfinite(number))


@dataclass(frozen=True)
class MetricResult:
    """What became of one metric. A dry run is only recorded, and decides nothing."""

    name: str
    phase: str
    message: str
    dry_run: bool
    measurements: tuple[Measurement, ...]

    @staticmethod
    def of(result: Manifest) -> MetricResult:
        """The result that a status holds."""
        return MetricResult(
            result["name"],
            result.get("phase", ""),
            result.get("message", ""),
            bool(result.get("dryRun")),
            tuple(Measurement.of(each) for each in result.get("measurements") or []),
        )

    def __str__(self) -> str:
        counted = Counter(map(str, self.measurements))
        measured = ", ".join(f"{count} times {each}" if count > 1 else each for each, count in counted.items())
        return f"{self.name}: {measured or 'not measured yet'}"


@dataclass(frozen=True)
class AnalysisRun:
    """An AnalysisRun of a Rollout's update.

    `owner` is the Rollout's uid, `release` the pod-template-hash that is judged, `revision` the update that it is
    part of. `step` is the index of the step that started it, None where no step did. `asked` are the addresses that
    its web metrics ask.
    """

    name: str
    owner: str
    release: str
    revision: str
    step: int | None
    phase: str
    message: str
    started: datetime | None
    completed: datetime | None
    metrics: tuple[MetricResult, ...]
    asked: tuple[str, ...]

    @staticmethod
    def of(manifest: Manifest) -> AnalysisRun:
        """The AnalysisRun that a manifest describes."""
        metadata, status = manifest["metadata"], manifest.get("status", {})
        labels = metadata.get("labels") or {}
        return AnalysisRun(
            metadata["name"],
            owner_uid(manifest),
            labels.get(HASH_LABEL, ""),
            (metadata.get("annotations") or {}).get(REVISION, ""),
            int(labels["step-index"]) if "step-index" in labels else None,
            status.get("phase", ""),
            status.get("message", ""),
            time_of(status.get("startedAt")),
            time_of(status.get("completedAt")),
            tuple(MetricResult.of(each) for each in status.get("metricResults") or []),
            tuple(_addresses(manifest.get("spec") or {})),
        )

    @property
    def is_over(self) -> bool:
        """Whether its phase is final."""
        return self.phase not in _RUNNING

    @property
    def state(self) -> str:
        """Where it stands, and what was measured."""
        message = f" ({self.message})" if self.message else ""
        return "; ".join([f"{self.phase or 'Pending'}{message}", *map(str, self.metrics)])

    def measurements(self, metric: str | None = None) -> Iterator[Measurement]:
        """The measurements that decide, of one metric or all."""
        for result in self.metrics:
            if not result.dry_run and metric in {None, result.name}:
                yield from result.measurements


def _addresses(spec: Manifest) -> Iterator[str]:
    for metric in spec.get("metrics") or []:
        if web := metric["provider"].get("web"):
            yield web["url"]


@dataclass(frozen=True)
class WithAnalyses:
    """What is read of a Rollout and the AnalysisRuns of its present update."""

    rollout: WatchedRollout

    @property
    def cache(self) -> WatchCache:
        """Where it is watched."""
        return self.rollout.cache

    @property
    def scope(self) -> frozenset[Place]:
        """Where the runs are, and what tells that they belong to the present update."""
        return self.rollout.scope | {Place(ANALYSIS_RUNS, self.rollout.namespace)}

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return self.rollout.namespaces

    def analyses(self, snapshot: Snapshot, rollout: Rollout) -> tuple[AnalysisRun, ...]:
        """The runs of that Rollout's update, newest last: a retry within one second has the longer name (`….1`)."""
        found = snapshot.all(ANALYSIS_RUNS, self.rollout.namespace)
        runs = map(AnalysisRun.of, sorted(found, key=lambda each: (_created(each), each["metadata"]["name"])))
        # The same template may come again in a later revision, so both must fit.
        update = (rollout.uid, rollout.release, rollout.revision)
        return tuple(run for run in runs if (run.owner, run.release, run.revision) == update)


@dataclass(frozen=True)
class WatchedAnalysis(WithAnalyses):
    """The newest AnalysisRun of a Rollout's present update; that of one step where its index is given."""

    step: int | None = None

    @property
    def title(self) -> str:
        """Its name in sentences."""
        of_step = "" if self.step is None else f" of step {self.step}"
        return f"Analysis{of_step} of {self.rollout.title}"

    def read(self, snapshot: Snapshot) -> AnalysisRun | Pending | Impossible:
        """The run; Impossible when the update ended without one, or is not begun."""
        rollout = self.rollout.read(snapshot)
        if not isinstance(rollout, Rollout):
            return rollout
        runs = [run for run in self.analyses(snapshot, rollout) if self.step in {None, run.step}]
        if runs:
            return runs[-1]
        if rollout.aborted or rollout.is_complete:
            return Impossible(f"the update ended without an analysis: {rollout.state}")
        return refused(rollout) or Pending(f"no analysis yet; the Rollout is {rollout.state}")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What was measured, and the Rollout's conditions."""
        run = self.read(snapshot)
        measured = list(map(str, run.metrics)) if isinstance(run, AnalysisRun) else []
        return [*measured, *self.rollout.conditions(snapshot)]


def _created(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("creationTimestamp", ""))


# --- expectations


def analysis_started() -> Expectation[AnalysisRun]:
    """It has begun, whatever became of it."""
    return expectation("has started", lambda run: Met(run.state) if run.phase else Pending("not started"))


def analysis_successful() -> Expectation[AnalysisRun]:
    """It ended Successful."""
    return _ends("Successful")


def analysis_failed(*, above: float, metric: str | None = None) -> Expectation[AnalysisRun]:
    """It ended Failed, by a measurement above that number: no data and errors are no such failure."""
    return _failed_by_number(metric, f"above {above:.12g}", max, lambda number: number > above)


def analysis_failed_below(limit: float, metric: str) -> Expectation[AnalysisRun]:
    """It ended Failed, by a measurement of that metric below that number: no data and errors are no such failure."""
    return _failed_by_number(metric, f"below {limit:g}", min, lambda number: number < limit)


def _failed_by_number(
    metric: str | None, where: str, worst_of: Callable[[Sequence[float]], float], is_beyond: Callable[[float], bool]
) -> Expectation[AnalysisRun]:
    def judge(run: AnalysisRun) -> Verdict:
        failed = [each for each in run.measurements(metric) if each.phase == "Failed"]
        numbers = [number for each in failed for number in each.numbers]
        if not numbers or not is_beyond(worst := worst_of(numbers)):
            return Impossible(f"Failed, but not by a measurement {where}: {run.state}")
        return Met(f"{worst:.12g} is {where}: {run.state}")

    return _ends("Failed", f" by {metric or 'a measurement'} {where}", judge)


def analysis_failed_by(metric: str) -> Expectation[AnalysisRun]:
    """It ended Failed, and that metric did."""

    def judge(run: AnalysisRun) -> Verdict:
        failed = [result.name for result in run.metrics if result.phase == "Failed" and not result.dry_run]
        return Met(run.state) if metric in failed else Impossible(f"Failed, but by another metric: {run.state}")

    return _ends("Failed", f" by its metric {metric}", judge)


def analysis_error(because: str = "") -> Expectation[AnalysisRun]:
    """It ended in Error, as the metric could not be measured, with these words in what it reports."""
    return _ends("Error", f" because of {because!r}" if because else "", lambda run: _with_words(run, because))


def analysis_inconclusive(because: str = "") -> Expectation[AnalysisRun]:
    """It ended Inconclusive: what was measured neither speaks for the canary nor against it."""
    return _ends("Inconclusive", f" because of {because!r}" if because else "", lambda run: _with_words(run, because))


def has_measured(phase: str, metric: str, *, at_least: int, at_most: float = math.inf) -> Expectation[AnalysisRun]:
    """It is over, and so many measurements of that metric ended in that phase."""

    def judge(run: AnalysisRun) -> Verdict:
        if not run.is_over:
            return Pending(run.state)
        found = sum(each.phase == phase for each in run.measurements(metric))
        return Met(run.state) if at_least <= found <= at_most else Impossible(run.state)

    wanted = f"at least {at_least}" if at_most == math.inf else f"{at_least} to {at_most:g}"
    times = f"{at_least}" if at_least == at_most else wanted
    return expectation(f"has measured {metric} {phase} {times} times", judge)


def has_recorded(phase: str, metric: str) -> Expectation[AnalysisRun]:
    """It is over, and that metric, which is only recorded, was measured and ended in that phase each time."""

    def judge(run: AnalysisRun) -> Verdict:
        results = [result for result in run.metrics if result.dry_run and result.name == metric]
        phases = {each.phase for result in results for each in result.measurements}
        if run.is_over:
            return Met(run.state) if phases == {phase} else Impossible(run.state)
        return Pending(run.state)

    return expectation(f"has recorded {metric!r} as {phase}", judge)


def analysis_asks(service: str) -> Expectation[AnalysisRun]:
    """It asks that service, given as the host part of a URL, and no other."""

    def judge(run: AnalysisRun) -> Verdict:
        observed = f"asks {', '.join(run.asked) or 'nobody'}"
        only = run.asked and all(urlsplit(each).hostname == service for each in run.asked)
        return Met(observed) if only else Impossible(observed)

    return expectation(f"asks {service}", judge)


def _ends(
    phase: str, how: str = "", judge: Callable[[AnalysisRun], Verdict] = lambda run: Met(run.state)
) -> Expectation[AnalysisRun]:
    def judge_end(run: AnalysisRun) -> Verdict:
        if run.phase == phase:
            return judge(run)
        return Impossible(f"ended {run.state}") if run.is_over else Pending(run.state)

    return expectation(f"ends {phase}{how}", judge_end)


def _with_words(run: AnalysisRun, because: str) -> Verdict:
    return Met(run.state) if because.lower() in run.state.lower() else Impossible(f"for another reason: {run.state}")


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of an AnalysisRun means: its phase, and each measurement with its value."""
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = AnalysisRun.of(before) if before else None, AnalysisRun.of(after)
    known = {result.name: result.measurements for result in old.metrics} if old else {}
    for result in new.metrics:
        for measurement in _added(known.get(result.name, ()), result.measurements):
            yield _told(new, result, measurement)
    if old is None or old.phase != new.phase:
        message = f": {new.message}" if new.message else ""
        data = {"phase": new.phase, "message": new.message, "release": new.release, "step": new.step}
        yield Fact("phase", f"{new.phase or 'created'}{message}", data)


def _added(before: Sequence[Measurement], after: Sequence[Measurement]) -> Sequence[Measurement]:
    """The measurements that were finished in between; the controller keeps the last ten only."""
    before, after = ([each for each in measurements if each.finished] for measurements in (before, after))
    kept = next(count for count in range(len(before), -1, -1) if before[len(before) - count :] == after[:count])
    return after[kept:]


def _told(run: AnalysisRun, result: MetricResult, measurement: Measurement) -> Fact:
    data = {
        "metric": result.name,
        "phase": measurement.phase,
        "value": measurement.value,
        "numbers": list(measurement.numbers),
        "message": measurement.message,
        "release": run.release,
        "dryRun": result.dry_run,
    }
    dry = " (dry run)" if result.dry_run else ""
    return Fact("measurement", f"{result.name} {measurement}{dry}", data)
