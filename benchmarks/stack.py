"""How soon the whole stack is ready, and how soon it is gone: a run of `pytest features/`, as a user sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figure import Figure, middle
from benchmarks.machine import name_of, run_features, tell_load, warm
from gitops_e2e.errors import HarnessError

_RUNS = 3
_RUN_BOUND = 300.0
_READY = "  ✓ installing the stack"
_ENDING = "  … deleting cluster"


def measure() -> Iterator[Figure]:
    """The medians of three runs of one short scenario.

    `stack_ready_s` is from the start of the process to the line that says so; `teardown_s` from the line that the
    cluster is being deleted to the end of the process, when nothing of it is left.
    """
    warm()
    readies, ends = [], []
    for _ in range(_RUNS):
        tell_load()
        started = time.monotonic()
        moments = _run()
        readies.append(Figure("stack_ready_s", moments[_READY] - started, "s", goal=20))
        ends.append(Figure("teardown_s", time.monotonic() - moments[_ENDING], "s", goal=2))
    yield middle(readies)
    yield middle(ends)


def _run() -> dict[str, float]:
    """Run it; when which line was printed, in monotonic seconds."""
    options = ["-k", "Kubernetes", "--cluster", "node", "--cluster-name", name_of("stack")]
    moments: dict[str, float] = {}
    for line in run_features(options, bound=_RUN_BOUND):
        moments |= {begin: time.monotonic() for begin in (_READY, _ENDING) if line.startswith(begin)}
    if len(moments) < 2:
        raise HarnessError("`pytest features/` did not say when the stack was ready and the cluster ended")
    return moments
