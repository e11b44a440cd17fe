"""Init: PID 1 of a node. Makes the namespaces a node, runs the process table, and answers at the control socket.

    python -m gitops_e2e.clusters.node.init REGISTRY_FOLDER NODE

Standard input is the supervisor's pipe: `go` when the network is connected; its end is init's end, and with
PID 1 the kernel ends every process of the node.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
import traceback  # noqa: F401 - else loaded by the first error, when Python's folder is out of sight
from pathlib import Path

from gitops_e2e.clusters.node import cgroups, control, filesystem, network
from gitops_e2e.clusters.node.layout import LOGS
from gitops_e2e.clusters.node.probing import Prober
from gitops_e2e.clusters.node.processes import Table
from gitops_e2e.clusters.node.running import Runner
from gitops_e2e.clusters.node.state import NodeState, Registry

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
"""All that the node's processes inherit: a proxy setting of the machine would lead packets out of it."""


def main(registry_folder: str, name: str) -> None:
    """Run the node; does not return."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # before there are threads: all are to have it
    registry = Registry(Path(registry_folder))
    state = registry.get(name)
    table = Table.from_json(state.layout.processes.read_text())
    listener = control.listen(registry.control(name))
    print(Path("/proc/self").readlink(), flush=True)  # noqa: T201 - the machine's /proc still, so the machine's PID
    if sys.stdin.readline() != "go\n":
        sys.exit(1)
    threading.Thread(target=_exit_with_supervisor, daemon=True).start()
    _become_node(state, table)
    runner = Runner(table, Prober().holds, lambda process: LOGS / f"{process}.log", _ENVIRONMENT)
    threading.Thread(target=control.serve, args=(listener, runner), daemon=True).start()
    runner.start()
    while True:
        signal.sigwait({signal.SIGCHLD})
        runner.reap()


def _exit_with_supervisor() -> None:
    sys.stdin.read()
    os._exit(1)


def _become_node(state: NodeState, table: Table) -> None:
    socket.sethostname(state.name)
    network.configure_inside(state.subnet)
    filesystem.enter(state.layout, cgroups.detect().mounts(), map(Path, table.folders))
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))


if __name__ == "__main__":
    main(*sys.argv[1:])
