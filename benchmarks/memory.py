"""How much memory the stack takes, and the demo pipeline on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.machine import BUDGETS, stack
from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.cgroups import VersionOne, VersionTwo
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.pipeline.names import DEMO
from gitops_e2e.pipeline.pipeline import Pipeline

_GB = 10**9
_SAMPLES = 15
_INTERVAL = 1.0
_OF_PODS = f'sum(container_memory_working_set_bytes{{namespace=~"{DEMO}-.*",container!=""}})'


def measure() -> Iterator[Figure]:
    """`stack_memory_gb`: the highest working set of all of the node's processes in the 15 s after the stack is ready.

    `pipeline_memory_gb`: the same of the demo pipeline's nine pods, once all serve; what the stack takes more for
    having a pipeline is not in it. A working set is the memory in use without the file cache that the kernel may
    drop first, as the kubelet counts it. A GB is 1 000 000 000 bytes.
    """
    with stack("memory") as harness:
        node = harness.cluster.name
        yield Figure("stack_memory_gb", _highest(lambda: working_set(node)) / _GB, "GB", goal=2)
        Pipeline.create(harness.platform, DEMO).await_baseline(BUDGETS)
        yield Figure("pipeline_memory_gb", _highest(lambda: harness.prometheus.value(_OF_PODS)) / _GB, "GB")


def _highest(measure: Callable[[], float]) -> float:
    highest = 0.0
    for _ in range(_SAMPLES):
        highest = max(highest, measure())
        time.sleep(_INTERVAL)
    return highest


def working_set(node: str) -> int:
    """What all processes of a node have in use, in bytes."""
    group = Registry().get(node).cgroup
    groups = cgroups.detect()
    if isinstance(groups, VersionOne):
        folder = next(one.mount for one in groups.hierarchies if "memory" in one.controllers) / group
        return _number(folder / "memory.usage_in_bytes") - _statistic(folder, "total_inactive_file")
    assert isinstance(groups, VersionTwo)
    folder = groups.mount / group
    return _number(folder / "memory.current") - _statistic(folder, "inactive_file")


def _number(file: Path) -> int:
    return int(file.read_text())


def _statistic(folder: Path, name: str) -> int:
    lines = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return next(int(value) for key, value in lines if key == name)
