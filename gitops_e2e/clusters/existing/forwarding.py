"""NodePorts of a cluster on this machine's loopback: each connection is carried to a pod, through the API server.

It stands in for kube-proxy where no node can be reached: as there, it is known from watches which pods are ready, and
each connection goes to any one of them.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from gitops_e2e.clusters.existing.endpoints import SERVICES, SLICES, Target, targets
from gitops_e2e.clusters.existing.listening import Listener, PortTaken, reset_at_end
from gitops_e2e.components.workload import untold
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube
from gitops_e2e.pipeline.node_ports import may_be_pipelines
from gitops_e2e.progress import say
from gitops_e2e.watching.cache import WatchBroken, WatchCache
from gitops_e2e.watching.snapshot import Blind, Snapshot

_FIRST_LOOK = 30.0
_POLL = 0.25
_END_BOUND = 5.0

Carry = Callable[[socket.socket, Target], None]
"""Carries a connection to a pod until one of them ends it. Raises HarnessError where it cannot."""


class Forwarder:
    """The NodePorts of the stack, listened at from the start, and those of pipelines while their Services are there.

    A connection to a port without ready pods is reset at once, and so is one that cannot be carried on: how many there
    were of the latter is told at the end.
    """

    def __init__(self, cache: WatchCache, carry: Carry, ports: Collection[int]) -> None:
        self._cache = cache
        self._carry = carry
        self._ports = frozenset(ports)
        self._targets: Mapping[int, Sequence[Target]] = {}
        self._listeners: dict[int, Listener] = {}
        self._failures: dict[int, PortTaken] = {}
        self._broken: WatchBroken | None = None
        self._closing = threading.Event()
        self._following = threading.Thread(target=self._follow, name="NodePorts", daemon=True)
        self._losses = Losses()

    @staticmethod
    def of(kube: Kube, ports: Collection[int]) -> Forwarder:
        """One that carries connections through that API server; `ports` are the stack's."""

        def carry(client: socket.socket, target: Target) -> None:
            kube.forward(target.namespace, target.pod, target.port, client)

        return Forwarder(WatchCache(kube, {SERVICES: untold, SLICES: untold}, history=1), carry, ports)

    def start(self) -> None:
        """Listen, and know which pods there are. Raises PortTaken, or Blind where the cluster cannot be watched."""
        self._cache.start()
        try:
            for port in sorted(self._ports):
                self._open(port)
            for port in self._learn(self._cache.seen(within=_FIRST_LOOK)):
                self._open(port)
        except BaseException:
            self.close()
            raise
        self._following.start()

    def check(self) -> None:
        """Raise what keeps NodePorts from being forwarded since the start: PortTaken, or WatchBroken."""
        for error in (self._broken, *self._failures.copy().values()):
            if error:
                raise error

    def close(self) -> None:
        """End every connection, and listen no longer. Closed already is fine."""
        self._closing.set()
        if self._following.is_alive():
            self._following.join(_END_BOUND)
        self._cache.close()
        for port in list(self._listeners):
            self._listeners.pop(port).close()
        self._losses.tell()

    # --- which ports there are

    def _follow(self) -> None:
        revision = 0
        while not self._closing.is_set():
            try:
                newest = self._cache.after(revision, within=_POLL)[-1:]
            except WatchBroken as error:
                self._broken = error
                say(f"  NodePorts are forwarded to pods that may have gone: {error}")
                return
            for snapshot in newest:
                revision = snapshot.revision
                self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        try:
            missing = self._learn(snapshot)
        except Blind:
            return  # what was seen last stays true enough until the watch is back
        for port in missing:
            try:
                self._open(port)
            except PortTaken as error:
                self._failures[port] = error
                say(str(error))

    def _learn(self, snapshot: Snapshot) -> Sequence[int]:
        """Know the pods of this moment, and close what has gone. The ports that are still to be opened."""
        self._targets = targets(snapshot.everywhere(SERVICES), snapshot.everywhere(SLICES))
        wanted = self._ports | {port for port in self._targets if may_be_pipelines(port)}
        for port in self._listeners.keys() - wanted:
            self._listeners.pop(port).close()
        for port in self._failures.keys() - wanted:
            del self._failures[port]
        return sorted(wanted - self._listeners.keys() - self._failures.keys())

    def _open(self, port: int) -> None:
        self._listeners[port] = Listener(port, partial(self._serve, port))

    # --- one connection

    def _serve(self, port: int, client: socket.socket) -> None:
        ready = self._targets.get(port)
        if not ready:
            reset_at_end(client)
            return
        try:
            self._carry(client, secrets.choice(ready))
        except HarnessError as error:
            reset_at_end(client)
            if not self._closing.is_set():
                self._losses.add(error)


class Losses:
    """Connections that could not be carried on, counted by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._last: HarnessError | None = None

    def add(self, error: HarnessError) -> None:
        """Count one."""
        with self._lock:
            self._count += 1
            self._last = error

    def tell(self) -> None:
        """Tell the user of them, once; nothing where there were none."""
        with self._lock:
            if self._last:
                say(f"  through the API server, {self._count} connections were lost; the last: {self._last}")
            self._count, self._last = 0, None
