"""How long verdicts take side by side: the same release in many pipelines at once, on one cluster."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Self

from benchmarks.engine import OF_ENGINE
from benchmarks.figure import Figure
from benchmarks.machine import stack, tell_load
from benchmarks.memory import working_set
from benchmarks.watching import latencies
from gitops_e2e.harness import Harness
from gitops_e2e.machine.capacity import memory_for
from gitops_e2e.pipeline.changes import Change, one_bare_pod, pauses
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.pipeline import BASELINE, Pipeline
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.stage import is_ready_with
from gitops_e2e.progress import say
from gitops_e2e.side_by_side import side_by_side
from gitops_e2e.watching import expect
from gitops_e2e.watching.budgets import Budgets

FULL = (1, 5, 10, 20)
LIGHT = (50,)
_FIGURES = {"verdict": "s", "memory": "gb", "apiserver_cpu": "percent", "engine_cpu": "percent", "watch_latency": "ms"}
_IN_WORDS = {"gb": "GB", "percent": "% of a core"}
_GB = 10**9
# As measured: nine pods with their sidecars, and what the stack takes for them; one pod of the service alone.
_MEMORY = {"full": 2 * 2**30, "light": 128 * 2**20}
_MAKERS = 4
_CHANGES = 20
_PATIENT = Budgets(
    rollout_settled=1800, application_synced=600, application_healthy=1200, endpoint_answers=300, stage_settled=1800
)
_CPU_OF_API_SERVER = re.compile(r"^process_cpu_seconds_total (\S+)$", re.MULTILINE)
_CPU_OF_ENGINE = f"sum(container_cpu_usage_seconds_total{{{OF_ENGINE}}})"


def names() -> Iterator[str]:
    """The names of all figures."""
    for kind, counts in (("full", FULL), ("light", LIGHT)):
        for count in counts:
            yield from (_name(figure, count, kind) for figure in _FIGURES)


def measure() -> Iterator[Figure]:
    """`verdict_s_at_N_pipelines`: from the refresh of N Warehouses at once, each with a new release, to dev of each
    being verified with it: the median. Pauses are of 5 s; the pipelines have all three stages with all sidecars.
    `light` ones have one stage of one pod without sidecars.

    Of that time: the node's working set at its end, in GB of 10⁹ bytes; the CPU of the API server and of the promotion
    engine, in % of a core; and 20 times the latency of a watch (see `watch_latency_ms`), the median.

    More than the memory of this machine allows is not tried, and said.
    """
    with stack("verdicts") as harness:
        for count in FULL:
            yield from _Round(harness, count, "full", STAGES, [pauses(5)]).figures()
        for count in LIGHT:
            yield from _Round(harness, count, "light", ["dev"], [pauses(5), one_bare_pod()]).figures()


def _name(figure: str, count: int, kind: str) -> str:
    pipelines = "pipelines" if kind == "full" else f"{kind}_pipelines"
    return f"{figure}_{_FIGURES[figure]}_at_{count}_{pipelines}"


@dataclass
class _Round:
    """So many pipelines of a kind at once."""

    harness: Harness
    count: int
    kind: str
    stages: Sequence[str]
    changes: Sequence[Change]
    made: list[Project] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def figures(self) -> Iterator[Figure]:
        """Make the pipelines, judge a release in all of them, and remove them."""
        if memory_for(_MEMORY[self.kind], beside=0) < self.count:
            say(f"  there is no memory for {self.count} {self.kind} pipelines at once")
            return
        try:
            side_by_side([partial(self._make, number) for number in range(self.count)], at_most=_MAKERS)
            tell_load()
            before = _Clock.of(self.harness)
            judging = [partial(self._judge, project) for project in self.made]
            side_by_side([*judging, self._watch], at_most=self.count + 1)
            yield from self._measured(_Clock.of(self.harness), before)
        finally:
            side_by_side([each.delete for each in self.made], at_most=_MAKERS)
            side_by_side([each.delete for each in self.pipelines], at_most=_MAKERS)

    def _make(self, number: int) -> None:
        pipeline = Pipeline.create(
            self.harness.platform,
            f"v{self.count}{self.kind}{number}",
            stages=self.stages,
            versions=[BASELINE],
            changes=self.changes,
        )
        self.pipelines.append(pipeline)
        pipeline.await_baseline(_PATIENT)
        project = Project.create(self.harness.platform, pipeline.names)
        self.made.append(project)
        project.push("1.0.0")

    def _judge(self, project: Project) -> None:
        began = time.monotonic()
        project.look()
        expect(project.stage("dev"), is_ready_with("1.0.0"), within=_PATIENT.stage_settled)
        self.took.append(time.monotonic() - began)

    def _watch(self) -> None:
        self.waited.extend(latencies(self.harness, _CHANGES))

    def _measured(self, now: _Clock, before: _Clock) -> Iterator[Figure]:
        say(f"  {self.count} {self.kind}: from {min(self.took):.1f} to {max(self.took):.1f} s")
        seconds = now.wall - before.wall
        values = {
            "verdict": median(self.took),
            "memory": working_set(self.harness.cluster.name) / _GB,
            "apiserver_cpu": 100 * (now.api_server - before.api_server) / seconds,
            "engine_cpu": 100 * (now.engine - before.engine) / seconds,
            "watch_latency": median(self.waited),
        }
        for figure, value in values.items():
            unit = _FIGURES[figure]
            yield Figure(_name(figure, self.count, self.kind), value, _IN_WORDS.get(unit, unit))


@dataclass(frozen=True)
class _Clock:
    """A moment, and the seconds of CPU that the API server and the engine had used until then."""

    wall: float
    api_server: float
    engine: float

    @classmethod
    def of(cls, harness: Harness) -> Self:
        """Now; what Prometheus has of the engine is 2 s old at the most."""
        [used] = _CPU_OF_API_SERVER.findall(harness.kube.raw("/metrics").decode())
        return cls(time.monotonic(), float(used), harness.prometheus.value(_CPU_OF_ENGINE))
