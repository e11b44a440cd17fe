"""What every benchmark starts from: the built-in node on this machine, with everything built already."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.errors import HarnessError
from gitops_e2e.harness import Harness
from gitops_e2e.images import Images
from gitops_e2e.progress import say
from gitops_e2e.supply import Supply
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching.budgets import Budgets

PROVIDER = Provider("node", "benchmarks are of the built-in node")
BUDGETS = Budgets()
_REPOSITORY = Path(__file__).parents[1]


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


def run_features(
    options: Sequence[str], *, bound: float, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The lines of progress of a run of `pytest features/`, as they come.

    `bound` is in seconds. Raises HarnessError, after the last one, where the run did not pass within it.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "features/", *options],
        cwd=_REPOSITORY,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        timer = threading.Timer(bound, process.kill)
        timer.start()
        try:
            for line in process.stderr or ():
                say(line.rstrip("\n"))
                yield line
        finally:
            timer.cancel()
    if process.returncode:
        raise HarnessError(f"`pytest features/` ended with exit code {process.returncode} within {bound:g} s")


def tell_load() -> None:
    """Say how busy the machine is with other things: figures are of a machine that has nothing else to do."""
    say(f"  load of this machine: {Path('/proc/loadavg').read_text().split()[0]}, processors: {os.cpu_count()}")
