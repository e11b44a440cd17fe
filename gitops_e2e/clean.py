"""`make clean`: sweeps what runs left on this machine, and with --all the shared cache."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.kind import own_engine
from gitops_e2e.clusters.kind.cluster import Kind
from gitops_e2e.clusters.kind.state import states as kind_states
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.errors import HarnessError
from gitops_e2e.progress import say


class CacheInUse(HarnessError):
    """A running node or cluster has its binaries, images or data in the cache."""


def clean(*, everything: bool) -> None:
    """End kept nodes, sweep what dead ones left, and remove the cache when everything is to go.

    Nodes of runs that go on are left alone. Raises CacheInUse where one of them needs what is to go, and
    HarnessError when something cannot be ended.
    """
    cache = Cache.of_user()
    for name in Node.sweep(kept=True, cache=cache):
        say(f"  node {name} is gone")
    for name in Kind.sweep(kept=True):
        say(f"  kind cluster {name} is gone")
    for name in Existing.sweep(kept=True, cache=cache):
        say(f"  run {name} on an existing cluster is forgotten here")
    for name in own_engine.sweep():
        say(f"  Docker engine {name} is gone")
    if everything and cache.root.exists():
        _refuse_use(cache)
        shutil.rmtree(cache.root)
        say(f"  removed {cache.root}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gitops_e2e.clean", description=__doc__)
    parser.add_argument("--all", action="store_true", help="remove the shared cache, too")
    try:
        clean(everything=parser.parse_args(arguments).all)
    except HarnessError as error:
        say(str(error))
        return 1
    return 0


def _refuse_use(cache: Cache) -> None:
    nodes = {f"node {state.name}": state.data for state in Registry().all() if state.running}
    clusters = {f"kind cluster {state.name}": state.data for state in kind_states().all() if not state.dead}
    engines = {f"Docker engine {record.name}": record.data for record in own_engine.records().all()}
    running = [name for name, data in (nodes | clusters | engines).items() if data.is_relative_to(cache.root)]
    if running:
        raise CacheInUse(
            f"the cache is in use by {', '.join(running)}",
            where=str(cache.root),
            remedy="end the runs that own them, or wait for their end",
        )


if __name__ == "__main__":
    sys.exit(main())
