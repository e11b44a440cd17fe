"""How long verdicts take side by side: the same release in many pipelines at once, on one cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from benchmarks.figure import Figure
from benchmarks.machine import stack, tell_load
from benchmarks.memory import working_set
from gitops_e2e.harness import Harness
from gitops_e2e.machine.capacity import memory_for
from gitops_e2e.pipeline.changes import Change, one_bare_pod, pauses
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.rollout import is_healthy_on
from gitops_e2e.progress import say
from gitops_e2e.side_by_side import side_by_side
from gitops_e2e.watching import expect
from gitops_e2e.watching.budgets import Budgets

FULL = (1, 5, 10, 20)
LIGHT = (50,)
_GB = 10**9
# As measured: nine pods with their sidecars, and what the stack takes for them; one pod of the service alone.
_MEMORY = {"full": 2 * 2**30, "light": 128 * 2**20}
_MAKERS = 4
_PATIENT = Budgets(rollout_settled=1800, application_synced=600, application_healthy=1200, endpoint_answers=300)


def names() -> Iterator[str]:
    """The names of all figures."""
    for kind, counts in (("full", FULL), ("light", LIGHT)):
        for count in counts:
            yield from (f"verdict_of_{count}_{kind}_s", f"memory_of_{count}_{kind}_gb")


def measure() -> Iterator[Figure]:
    """`verdict_of_N_full_s`: from the push of a release to dev of each of N pipelines at once, to dev being Healthy on
    it: the median. Pauses are of 5 s; the pipelines have all three stages with all sidecars. `light` ones have one
    stage of one pod without sidecars. `memory_of_N_full_gb`: the node's working set then, in GB of 10⁹ bytes.

    More than the memory of this machine allows is not tried, and said.
    """
    with stack("verdicts") as harness:
        for count in FULL:
            yield from _verdicts(harness, count, "full", STAGES, [pauses(5)])
        for count in LIGHT:
            yield from _verdicts(harness, count, "light", ["dev"], [pauses(5), one_bare_pod()])


def _verdicts(
    harness: Harness, count: int, kind: str, stages: Sequence[str], changes: Sequence[Change]
) -> Iterator[Figure]:
    if memory_for(_MEMORY[kind], beside=0) < count:
        say(f"  there is no memory for {count} {kind} pipelines at once")
        return
    made: list[Pipeline] = []

    def make(number: int) -> None:
        pipeline = Pipeline.create(harness.platform, f"v{count}{kind}{number}", stages=stages, changes=changes)
        made.append(pipeline)
        pipeline.await_baseline(_PATIENT)

    took: list[float] = []

    def judge(pipeline: Pipeline) -> None:
        pushed = time.monotonic()
        pipeline.release("dev", "1.0.0")
        expect(pipeline.rollout("dev"), is_healthy_on("1.0.0"), within=_PATIENT.rollout_settled)
        took.append(time.monotonic() - pushed)

    try:
        side_by_side([partial(make, number) for number in range(count)], at_most=_MAKERS)
        tell_load()
        side_by_side([partial(judge, pipeline) for pipeline in made], at_most=count)
        say(f"  {count} {kind}: from {min(took):.1f} to {max(took):.1f} s")
        yield Figure(f"verdict_of_{count}_{kind}_s", median(took), "s")
        yield Figure(f"memory_of_{count}_{kind}_gb", working_set(harness.cluster.name) / _GB, "GB")
    finally:
        side_by_side([pipeline.delete for pipeline in made], at_most=_MAKERS)
