"""The supervisor: starts a node's init in namespaces of its own, holds it for the owner, and tidies up after it.

    python -m gitops_e2e.clusters.node.supervisor REGISTRY_FOLDER NODE

It stays outside the namespaces and in a session of its own, so what is sent to the owner's terminal does not
reach it. Standard input is the owner's pipe: the word `start` tells that the state names this supervisor, the word
`keep` hands the node over, and the pipe's end ends the node. Lines on standard output tell the owner that init runs,
or why not, and that the node is kept.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from gitops_e2e.clusters.node import cgroups, network
from gitops_e2e.clusters.node.errors import NodeFailed
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.leftovers import tidy
from gitops_e2e.clusters.node.state import NodeState, Registry
from gitops_e2e.errors import HarnessError

START = b"start\n"
KEEP = b"keep\n"

_INIT_BOUND = 20.0
_OWNER = 0


@dataclass(frozen=True)
class Child:
    """The `unshare` process, parent of init: its PID and the pipe whose closing makes init exit."""

    pid: int
    pipe: int
    report: int


def main(registry_folder: str, name: str) -> int:
    """Hold the node until its owner, or somebody by SIGTERM, wants its end; the exit code."""
    termination = _catch_termination()
    registry = Registry(Path(registry_folder))
    if os.read(_OWNER, len(START)) != START:
        return 1  # the owner died before it wrote down that we exist, so whoever sweeps does not count on us
    state = registry.get(name)
    try:
        child, state = _start(state, registry)
    except (HarnessError, OSError) as error:
        _tell_owner({"failed": str(error)})
        _wait_for_end(None, termination, state, registry)
        tidy(registry.get(name), registry)  # as it was written down last: init may run
        return 1
    _tell_owner({"running": True})
    state = _wait_for_end(child.pid, termination, state, registry)
    tidy(state, registry)
    return 0


def _start(state: NodeState, registry: Registry) -> tuple[Child, NodeState]:
    groups = cgroups.detect()
    groups.create(state.cgroup)
    child = _spawn(state, registry, groups)
    init = _pid_of_init(child, state)
    state = replace(state, init=ProcessIdentity.of(init))
    registry.save(state)
    groups.settle(state.cgroup, (child.pid, init))
    network.connect(state.subnet, init)
    os.write(child.pipe, b"go\n")
    return child, state


def _spawn(state: NodeState, registry: Registry, groups: cgroups.Cgroups) -> Child:
    """Fork by hand: the child enters the node's control groups before `unshare` makes them a namespace's root."""
    from_us, pipe = os.pipe()
    report, to_us = os.pipe()
    log = os.open(state.layout.log("init"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    namespaces = ("--cgroup", "--ipc", "--mount", "--net", "--pid", "--uts")
    init = (sys.executable, "-S", "-m", "gitops_e2e.clusters.node.init", str(registry.folder), state.name)
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor, number in ((from_us, 0), (to_us, 1), (log, 2)):
                os.dup2(descriptor, number)
            groups.enter(state.cgroup)
            os.execvp("unshare", ("unshare", *namespaces, "--fork", "--kill-child", "--", *init))
        except OSError as error:
            os.write(2, f"cannot start init: {error}\n".encode())
        finally:
            os._exit(1)
    for descriptor in (from_us, to_us, log):
        os.close(descriptor)
    return Child(pid, pipe, report)


def _pid_of_init(child: Child, state: NodeState) -> int:
    """What init says first: its PID outside of its namespace."""
    readable, _, _ = select.select([child.report], [], [], _INIT_BOUND)
    word = os.read(child.report, 32) if readable else b""
    if not word:
        os.kill(child.pid, signal.SIGKILL)
        raise NodeFailed(f"the node's init did not start:{state.layout.last_lines('init')}")
    return int(word)


def _wait_for_end(child: int | None, termination: int, state: NodeState, registry: Registry) -> NodeState:
    """Return when the node is to end; the state as it is then.

    When init has ended by itself, an owner still wants to know what happened, so the node stays until the owner
    has gone; if nobody owns it, nobody waits.
    """
    watched = [_OWNER, termination, *([os.pidfd_open(child)] if child else [])]
    while True:
        readable, _, _ = select.select(watched, [], [])
        if termination in readable:
            return state
        if _OWNER in readable:
            if os.read(_OWNER, len(KEEP)) != KEEP:
                return state
            state = registry.hand_over(state)
            watched.remove(_OWNER)
            _tell_owner({"kept": True})
        elif state.owner is None:
            return state
        else:
            watched = [_OWNER, termination]


def _catch_termination() -> int:
    """A descriptor that becomes readable by SIGTERM; a terminal's signals are not for the supervisor."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return readable


def _tell_owner(news: dict[str, object]) -> None:
    try:
        os.write(1, json.dumps(news).encode() + b"\n")
    except BrokenPipeError:
        pass  # it has gone; its own pipe says so, too


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
