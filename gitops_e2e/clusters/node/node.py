"""The Docker-free node as a cluster: start, attach, keep, look after, delete."""

from __future__ import annotations

import atexit
import os
import re
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node import certificates, configuration, images, leftovers, network, processes, requirements
from gitops_e2e.clusters.node.control import Control
from gitops_e2e.clusters.node.errors import NodeExists, NodeFailed, NodeNotFound
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.layout import CONTAINERD_ROOT, CONTAINERD_SOCKET, LOGS, Layout
from gitops_e2e.clusters.node.ownership import Ownership
from gitops_e2e.clusters.node.running import Status
from gitops_e2e.clusters.node.state import NodeState, Registry
from gitops_e2e.images import containerd

_READY_BOUND = 90.0
_INIT_BOUND = 30.0
_KEEP_BOUND = 10.0
_END_BOUND = 30.0
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_API_SERVER = "kube-apiserver"


class Node:
    """A running node. Made by `start` or `attach`; a `gitops_e2e.clusters.protocol.Cluster`."""

    provider = "node"
    labels: Mapping[str, str] = MappingProxyType({})

    def __init__(self, state: NodeState, registry: Registry) -> None:
        self._state = state
        self._registry = registry
        self._control = Control(registry.control(state.name))
        self._ownership: Ownership | None = None

    @staticmethod
    def start(name: str, *, binary: processes.Binary, golden: Path, pause: str, cache: Cache | None = None) -> Node:
        """Start a node and wait until it is Ready; it ends with this process, unless it is kept.

        `binary` tells where the Kubernetes commands are, `golden` is a containerd root with images, which must
        outlive the node, `pause` the image of pod sandboxes, `cache` (the user's by default) where the node's data go.

        Raises NodeUnavailable, NodeExists, or NodeFailed with the last lines of what died; nothing is left then.
        """
        requirements.require()
        if not _NAME.fullmatch(name):
            raise NodeFailed(
                f"{name!r} is no name for a node", remedy="use small letters, digits and hyphens, 42 at most"
            )
        registry = Registry()
        node: Node = _claim(name, _nodes_folder(cache), registry)
        try:
            node._bring_up(binary, golden, pause)
        except BaseException as error:
            node.delete()
            if isinstance(error, NodeFailed):
                error.where = None  # the log has gone with the node; its last lines are in the message
            raise
        return node

    @staticmethod
    def attach(name: str) -> Node:
        """A node that runs already, without owning it. Raises NodeNotFound."""
        registry = Registry()
        state = registry.find(name)
        if state is None or not state.running:
            running = ", ".join(one.name for one in registry.all() if one.running) or "none"
            raise NodeNotFound(
                f"there is no running node called {name} (running: {running})",
                remedy="start one with --keep-cluster, and use its name",
            )
        return Node(state, registry)

    @staticmethod
    def sweep(*, kept: bool = False, cache: Cache | None = None) -> list[str]:
        """Remove what dead nodes of this machine left; with `kept` end those that nobody owns, too. Their names."""
        registry = Registry()
        unowned = [state for state in registry.all() if kept and state.owner is None]
        for state in unowned:
            Node(state, registry).delete()
        with registry.lock():
            return [state.name for state in unowned] + leftovers.sweep(_nodes_folder(cache), registry)

    # --- the cluster

    @property
    def name(self) -> str:
        """The name it is found again by."""
        return self._state.name

    @property
    def address(self) -> str:
        """The node's own address: of the API server (port 6443) and of NodePorts."""
        return str(self._state.subnet.node)

    def reach(self, ports: Collection[int]) -> str:  # noqa: ARG002 - all of them answer
        """They answer by themselves."""
        return f"at {self.address}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._state.layout.kubeconfig

    @property
    def scratch(self) -> Path:
        """A folder for files of the run that the node is for."""
        return self._state.layout.scratch

    def load(self, archives: Sequence[Path]) -> None:
        """Import OCI archives into the node's containerd. Raises CommandFailed."""
        for archive in archives:
            containerd.load(self.containerd_socket, archive)

    def delete(self) -> None:
        """End the node and remove everything of it; nothing may use its address any more. Gone already is fine."""
        atexit.unregister(self.delete)
        if self._ownership:
            self._ownership.give_up(_END_BOUND)
            self._ownership = None
        state = self._registry.find(self.name)
        if state is None or state.subnet != self._state.subnet:
            return  # gone, and maybe another has the name
        if state.supervisor:
            leftovers.end(state.supervisor, signal.SIGTERM)
        if self._registry.find(self.name):  # the supervisor was killed, or never ran
            leftovers.tidy(state, self._registry)

    # --- ownership and health

    def keep(self) -> None:
        """Hand the node over: it outlives this process, until somebody attaches to it and deletes it."""
        if self._ownership:
            self._ownership.hand_over(_KEEP_BOUND)
            self._ownership = None
            atexit.unregister(self.delete)

    def check(self) -> None:
        """Raise NodeFailed, with its last log lines, if a process of the node died without being asked to."""
        self._raise_for(self.status())

    def status(self) -> Status:
        """How the node's processes are. Raises NodeFailed when the node itself has gone."""
        return self._answer(self._control.status)

    def signal(self, process: str, number: signal.Signals) -> None:
        """Signal one of the node's processes (`kube-apiserver`, …): a fault, so its end is no failure to `check`."""
        self._answer(lambda: self._control.signal(process, number))

    def restart(self, process: str) -> None:
        """End one of the node's processes, start it again, and wait until it is ready."""
        self._answer(lambda: self._control.restart(process))
        self._await_ready()

    def restart_api_server(self) -> None:
        """Kill the API server and start another one. Raises NodeFailed where that does not become ready."""
        self.restart(_API_SERVER)

    @property
    def containerd_socket(self) -> Path:
        """The socket of the node's containerd, as the machine sees it."""
        init = self._state.init
        if init is None:
            raise NodeFailed(f"node {self.name} has no running init", where=str(self._state.data))
        return Path(f"/proc/{init.pid}/root") / CONTAINERD_SOCKET.relative_to("/")

    # --- starting

    def _bring_up(self, binary: processes.Binary, golden: Path, pause: str) -> None:
        layout, subnet = self._state.layout, self._state.subnet
        certificates.write(layout, self.name, subnet.node)
        configuration.write(layout, self.name, subnet.node, pause)
        images.share(golden, layout.of(CONTAINERD_ROOT))
        layout.processes.write_text(processes.node_processes(self.name, subnet, binary, golden).to_json())
        self._ownership = Ownership.begin(self._registry, self._state)
        self._ownership.answer(_INIT_BOUND)
        self._state = self._registry.get(self.name)
        self._await_ready()

    def _await_ready(self) -> None:
        status = self._answer(lambda: self._control.wait(_READY_BOUND))
        self._raise_for(status)
        if status.ready:
            return
        phases = ", ".join(f"{one.name} {one.phase}" for one in status.processes)
        slow = next((one.name for one in status.processes if one.phase != "ready"), "kubelet")
        raise self._failed(f"the node was not ready within {_READY_BOUND:g} s ({phases})", slow)

    def _answer(self, ask: Callable[[], Status]) -> Status:
        try:
            return ask()
        except NodeFailed as error:
            raise self._failed(error.what, "init") from error

    def _raise_for(self, status: Status) -> None:
        for one in status.died:
            raise self._failed(f"{one.name} of node {self.name} died ({one.ending})", one.name)

    def _failed(self, what: str, process: str) -> NodeFailed:
        layout = self._state.layout
        return NodeFailed(what + layout.last_lines(process), where=str(layout.log(process)))


def _nodes_folder(cache: Cache | None) -> Path:
    return (cache or Cache.of_user()).root / "nodes"


def _claim(name: str, nodes: Path, registry: Registry) -> Node:
    """Take the name, a subnet and a data folder, after sweeping what dead nodes left."""
    with registry.lock():
        _await_ending(registry.find(name))
        leftovers.sweep(nodes, registry)
        _refuse_live(registry.find(name))
        state = NodeState(name, network.choose(), nodes / name, owner=ProcessIdentity.of(os.getpid()))
        node = Node(state, registry)
        atexit.register(node.delete)  # before there is anything: an interrupt may come when nobody holds it yet
        try:
            registry.save(state)
            network.reserve(state.subnet)
            _make_folders(state.layout)
        except BaseException:
            node.delete()
            raise
    return node


def _make_folders(layout: Layout) -> None:
    layout.data.mkdir(parents=True)
    layout.data.chmod(0o700)
    layout.root.mkdir()
    layout.scratch.mkdir()
    for inside in (CONTAINERD_ROOT.parent, LOGS, Path("/etc")):
        layout.of(inside).mkdir(parents=True)


def _await_ending(state: NodeState | None) -> None:
    """Wait for a node whose owner has died: its supervisor is about to end it."""
    if state and state.owner and not state.owned and state.supervisor:
        state.supervisor.wait(_END_BOUND)


def _refuse_live(state: NodeState | None) -> None:
    if state is None:
        return
    holder = state.supervisor if state.supervisor and state.supervisor.alive else state.owner
    raise NodeExists(
        f"a node called {state.name} exists, held by process {holder.pid if holder else 'unknown'}",
        where=str(state.data),
        remedy=f"use it with --reuse-cluster {state.name}; take another name; "
        "or, where it was kept, end all kept ones with `.venv/bin/python -m gitops_e2e.clean`",
    )
