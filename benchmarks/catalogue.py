"""All figures."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import (
    cold_build,
    engine,
    kind,
    lint,
    memory,
    node,
    providers,
    rollback,
    stack,
    suite,
    verdicts,
    watching,
)
from benchmarks.figure import Benchmark
from gitops_e2e.errors import HarnessError

BENCHMARKS = (
    Benchmark(("node_ready_s",), node.measure),
    Benchmark(("stack_ready_s", "teardown_s"), stack.measure),
    Benchmark(("stack_memory_gb", "pipeline_memory_gb"), memory.measure),
    Benchmark(("rollback_over_floor", "rollback_s"), rollback.measure),
    Benchmark(
        (
            *("freight_s", "promotion_s", "promotion_beside_50_over_alone"),
            *("engine_idle_cpu_percent", "engine_memory_mb"),
        ),
        engine.measure,
    ),
    Benchmark(("whole_way_s",), engine.measure_whole_way),
    Benchmark(("lint_s",), lint.measure),
    Benchmark(("kind_ready_s",), kind.measure),
    Benchmark(("watch_latency_ms",), watching.measure),
    Benchmark(tuple(providers.names()), providers.measure, on_request=True),
    Benchmark(tuple(verdicts.names()), verdicts.measure, on_request=True),
    Benchmark(("suite_s", "suite_over_longest"), suite.measure, on_request=True),
    Benchmark(("cold_build_s",), cold_build.measure, on_request=True),
)


class UnknownFigure(HarnessError):
    """No benchmark measures a figure of that name."""


def chosen(only: str, among: Sequence[Benchmark] = BENCHMARKS) -> dict[Benchmark, frozenset[str]]:
    """The benchmarks to run, with the figures that are wanted of each.

    `only` is the names, separated by commas; "" stands for all that need not be asked for. Raises UnknownFigure.
    """
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = [name for benchmark in among for name in benchmark.names]
    for name in names:
        if name not in known:
            raise UnknownFigure(f"there is no figure {name!r}", remedy=f"use some of: {', '.join(known)}")
    if not names:
        return {benchmark: frozenset(benchmark.names) for benchmark in among if not benchmark.on_request}
    wanted = {benchmark: frozenset(benchmark.names) & frozenset(names) for benchmark in among}
    return {benchmark: figures for benchmark, figures in wanted.items() if figures}
