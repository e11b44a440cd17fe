"""How soon a node is Ready: from nothing that runs to the node's Ready condition, with everything built."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figure import Figure, middle
from benchmarks.machine import PROVIDER, name_of, tell_load, warm

_RUNS = 5


def measure() -> Iterator[Figure]:
    """The median of five starts, each of a node of its own."""
    images = warm()
    runs = []
    for _ in range(_RUNS):
        tell_load()
        started = time.monotonic()
        node = PROVIDER.start(name_of("node"), images, images.toolchain)
        runs.append(Figure("node_ready_s", time.monotonic() - started, "s", goal=4))
        node.delete()
    yield middle(runs)
