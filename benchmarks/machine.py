"""What every benchmark starts from: the built-in node on this machine, with everything built already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.harness import Harness
from gitops_e2e.images import Images
from gitops_e2e.progress import say
from gitops_e2e.supply import Supply
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching.budgets import Budgets

PROVIDER = Provider("node", "benchmarks are of the built-in node")
BUDGETS = Budgets()


def name_of(benchmark: str) -> str:
    """A name for a node that no other run has."""
    return f"bench-{benchmark}-{os.getpid()}"


def warm() -> Images:
    """All images, built where the cache has them not."""
    toolchain = Toolchain(Cache.of_user())
    images = Images(toolchain.cache, toolchain)
    images.build_all()
    images.golden_root()
    return images


@contextmanager
def stack(benchmark: str) -> Iterator[Harness]:
    """A node with the whole stack."""
    harness = Harness.start(PROVIDER, name_of(benchmark), BUDGETS, Supply())
    try:
        yield harness
    finally:
        harness.delete()


def tell_load() -> None:
    """Say how busy the machine is with other things: figures are of a machine that has nothing else to do."""
    say(f"  load of this machine: {Path('/proc/loadavg').read_text().split()[0]}, processors: {os.cpu_count()}")
