"""Sweeps what runs left here, ends kept clusters and demos, and removes what nobody uses of the shared cache, or all.

`make clean` does it, and removes this clone's own files, too.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.state import states as existing_states
from gitops_e2e.clusters.kind import own_engine
from gitops_e2e.clusters.kind.cluster import Kind
from gitops_e2e.clusters.kind.state import states as kind_states
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.errors import HarnessError
from gitops_e2e.progress import say

_UNUSED_DAYS = 30


class CacheInUse(HarnessError):
    """A running node or cluster, or a run on one that exists, has its binaries, images or data in the cache."""


def clean(*, everything: bool) -> None:
    """End kept nodes, sweep what dead ones left, and of the cache what nobody has used for 30 days, or everything.

    Nodes of runs that go on are left alone, and while there are any, the cache is. Raises CacheInUse where everything
    is to go and one of them needs it, and HarnessError when something cannot be ended.
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
    if everything:
        _remove(cache)
    else:
        _remove_unused(cache)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gitops_e2e.clean", description=__doc__)
    parser.add_argument("--all", action="store_true", help="remove all of the shared cache")
    try:
        clean(everything=parser.parse_args(arguments).all)
    except HarnessError as error:
        say(str(error))
        return 1
    return 0


def _remove(cache: Cache) -> None:
    if not cache.root.exists():
        return
    _refuse_use(cache)
    shutil.rmtree(cache.root)
    say(f"  removed {cache.root}")


def _remove_unused(cache: Cache) -> None:
    # What runs may do so for longer than that, and start what it looked up when it began.
    if running := _running(cache):
        say(f"  nothing is removed from the cache, because of {', '.join(running)}")
        return
    for entry in cache.remove_unused(seconds=_UNUSED_DAYS * 24 * 60 * 60):
        say(f"  removed {entry} from the cache, as nobody used it")


def _running(cache: Cache) -> dict[str, Path]:
    """What runs on this machine, with the folder of its data."""
    nodes = {f"node {state.name}": state.data for state in Registry().all() if state.running}
    clusters = {f"kind cluster {state.name}": state.data for state in kind_states().all() if not state.dead}
    engines = {f"Docker engine {record.name}": record.data for record in own_engine.records().all()}
    runs = {f"run {state.name} on an existing cluster": state.data for state in existing_states(cache).all()}
    return nodes | clusters | engines | runs


def _refuse_use(cache: Cache) -> None:
    running = [name for name, data in _running(cache).items() if data.is_relative_to(cache.root)]
    if running:
        raise CacheInUse(
            f"the cache is in use by {', '.join(running)}",
            where=str(cache.root),
            remedy="end the runs that own them, or wait for their end",
        )


if __name__ == "__main__":
    sys.exit(main())
