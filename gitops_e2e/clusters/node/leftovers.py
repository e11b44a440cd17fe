"""Tidying up after a node: at its end by its supervisor, after a kill by whoever starts or cleans next."""

from __future__ import annotations

import signal
from pathlib import Path

from gitops_e2e.clusters.node import cgroups, network
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.state import NodeState, Registry
from gitops_e2e.commands import run

_END_BOUND = 10.0
_REMOVAL_BOUND = 120.0


def tidy(state: NodeState, registry: Registry) -> None:
    """End what still runs of the node, then remove everything of it. Its state goes last, so that a kill loses nothing.

    The route that keeps packets to the node on this machine goes when nothing else is left.
    """
    if state.init:
        end(state.init, signal.SIGKILL)
    network.disconnect(state.subnet)
    cgroups.detect().remove(state.cgroup)
    _remove(state.data)
    network.release(state.subnet)
    registry.forget(state)


def end(process: ProcessIdentity, number: signal.Signals) -> None:
    """Signal a process and wait for its end, with more force when it takes too long."""
    process.send(number)
    if not process.wait(_END_BOUND):
        process.send(signal.SIGKILL)
        process.wait(_END_BOUND)


def sweep(nodes: Path, registry: Registry) -> list[str]:
    """Tidy up after every node of this machine that is provably dead; their names.

    That is a node without a supervisor whose owner is dead, too (a living one may still connect to it).
    Folders in `nodes`, where data folders are, that belong to no known node are from before a reboot.
    To be called under the registry's lock.
    """
    dead = [state for state in registry.all() if not state.running and not state.owned]
    for state in dead:
        tidy(state, registry)
    known = {state.data for state in registry.all()}
    for folder in nodes.iterdir() if nodes.is_dir() else ():
        if folder not in known:
            _remove(folder)
    return [state.name for state in dead]


def _remove(folder: Path) -> None:
    """Remove a data folder. `rm` takes half of the time that Python does; no mount of somebody else is entered."""
    run(["rm", "--recursive", "--force", "--one-file-system", folder], timeout=_REMOVAL_BOUND)
