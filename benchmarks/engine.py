"""How fast Kargo's promotions are, by whichever Kargo the stack has, and what that takes while it has nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.figure import Figure, middle
from benchmarks.machine import BUDGETS, stack, tell_load
from gitops_e2e.components.promotion_engine import PromotionEngine
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.changes import no_pods, pauses
from gitops_e2e.pipeline.freight import is_there
from gitops_e2e.pipeline.kargo_edits import deploys_nothing, repository
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.pipeline import BASELINE, Pipeline
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import succeeds
from gitops_e2e.pipeline.rollout import is_healthy_on
from gitops_e2e.pipeline.stage import is_ready_with
from gitops_e2e.watching import expect

_RUNS = 3
_IDLE_PIPELINES = 50
_MB = 10**6

# Long enough for the counters of the kubelet to be read many times.
_IDLE_SECONDS = 60.0
_SETTLING_SECONDS = 60.0
OF_ENGINE = f'namespace="{PromotionEngine.namespace}",container!="",container!="POD"'
_MEMORY = f"sum(max_over_time(container_memory_working_set_bytes{{{OF_ENGINE}}}[{_IDLE_SECONDS:g}s]))"
_CPU = f"100 * sum(rate(container_cpu_usage_seconds_total{{{OF_ENGINE}}}[{_IDLE_SECONDS:g}s]))"


def measure() -> Iterator[Figure]:
    """`freight_s`: from the answer to the refresh to the Freight. `promotion_s`: from the Freight to the end of the
    promotion that dev makes of it by itself: the demo's seven steps with the sync, on a stage with its pods.
    Both are medians of three.

    `promotion_beside_50_over_alone`: the same without pods, beside 50 idle Projects, over what it took before them.
    The engine's CPU and highest memory are of a minute in which nothing is done, with those 50 Projects there.
    """
    with stack("engine") as harness:
        with _promoting(harness, "bench") as (pipeline, project):
            freight, promotions = zip(*(_promotion(pipeline, project, each) for each in range(_RUNS)), strict=True)
        yield middle([Figure("freight_s", each, "s", goal=1) for each in freight])
        yield middle([Figure("promotion_s", each, "s", goal=6) for each in promotions])
        alone = _without_pods(harness, "benchalone")
        found = PipelineNames("bench").image_repository()
        for number in range(_IDLE_PIPELINES):
            idle = PipelineNames(f"benchidle{number}")
            # Their Warehouses find something: one that cannot look is asked again and again, and is not idle.
            Project.create(harness.platform, idle, [deploys_nothing(), repository(found)])
        beside = _without_pods(harness, "benchbeside")
        yield Figure("promotion_beside_50_over_alone", beside / alone, "ratio", goal=1.2)
        time.sleep(_SETTLING_SECONDS + _IDLE_SECONDS)
        yield Figure("engine_idle_cpu_percent", harness.prometheus.value(_CPU), "% of a core", goal=1)
        yield Figure("engine_memory_mb", harness.prometheus.value(_MEMORY) / _MB, "MB", goal=120)


def measure_whole_way() -> Iterator[Figure]:
    """From the release in the registry, for which the Warehouse is told to look, to its verification in staging.

    Pauses are of 5 s. The goal is what the real Kargo took.
    """
    with stack("way") as harness:
        pipeline = Pipeline.create(harness.platform, "bench", stages=("dev", "staging"), changes=[pauses(5)])
        pipeline.await_baseline(BUDGETS)
        project = Project.create(harness.platform, pipeline.names)
        project.push("1.0.0")
        tell_load()
        begun = time.monotonic()
        project.look()
        expect(project.stage("staging"), is_ready_with("1.0.0"), within=BUDGETS.stage_settled)
        yield Figure("whole_way_s", time.monotonic() - begun, "s", goal=41)


@contextmanager
def _promoting(harness: Harness, name: str, *, pods: bool = True) -> Iterator[tuple[Pipeline, Project]]:
    """A pipeline whose dev takes releases by itself, with pods that are replaced as soon as they can be, or without."""
    changes = [pauses(1)] if pods else [no_pods()]
    pipeline = Pipeline.create(harness.platform, name, stages=["dev"], versions=[BASELINE], changes=changes)
    if pods:
        pipeline.await_baseline(BUDGETS)
    else:
        pipeline.await_synced(BUDGETS)
    project = Project.create(harness.platform, pipeline.names)
    yield pipeline, project
    project.delete()
    pipeline.delete()


def _without_pods(harness: Harness, name: str) -> float:
    """The median of three promotions in a pipeline without pods, in seconds."""
    with _promoting(harness, name, pods=False) as (pipeline, project):
        runs = [_promotion(pipeline, project, each, settles=False)[1] for each in range(_RUNS)]
    return sorted(runs)[_RUNS // 2]


def _promotion(pipeline: Pipeline, project: Project, number: int, *, settles: bool = True) -> tuple[float, float]:
    """How long it took from the refresh to Freight, and from that to the end of its promotion, in seconds."""
    version = f"1.{number}.0"
    project.push(version)
    tell_load()
    project.look()
    asked = time.monotonic()
    expect(project.freight(version), is_there(), within=BUDGETS.freight_found)
    found = time.monotonic()
    promotion = expect(project.newest_promotion(version, "dev"), succeeds(), within=BUDGETS.promotion_over)
    over = time.monotonic()
    if settles:
        pipeline.promoted(version, promotion)
        expect(pipeline.rollout("dev"), is_healthy_on(version), within=BUDGETS.rollout_settled)
    return found - asked, over - found
