"""An existing cluster: taken for a run, attached to, let go. What is on it stays, but for what the run removes."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.errors import ExistingExists, ExistingFailed, ExistingNotFound
from gitops_e2e.clusters.existing.forwarding import Forwarder
from gitops_e2e.clusters.existing.listening import LOOPBACK
from gitops_e2e.clusters.existing.reach import answering, node_addresses
from gitops_e2e.clusters.existing.state import ExistingState, folder, states
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.kube import Kube, KubeError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_A_NODE_PORT = 30500  # the registry's; any would do

RUN = "gitops-e2e/run"
"""The label of everything that runs make on a cluster that exists; its value is the run's name."""


class Existing:
    """A cluster that a run was let onto. Made by `take` or `attach`; a `gitops_e2e.clusters.protocol.Cluster`."""

    provider = "existing"

    def __init__(self, state: ExistingState, cache: Cache | None = None) -> None:
        self._state = state
        self._cache = cache
        self._forwarder: Forwarder | None = None

    @staticmethod
    def take(name: str, context: Context, *, cache: Cache | None = None) -> Existing:
        """Write down that a run is there, and the kubeconfig it uses; on the cluster itself nothing is done.

        It is let go with this process, unless it is kept. Raises ExistingExists where another run has the name or the
        cluster, and ExistingFailed for a bad name.
        """
        if not _NAME.fullmatch(name):
            raise ExistingFailed(
                f"{name!r} is no name for a run", remedy="use small letters, digits and hyphens, 42 at most"
            )
        return _claim(name, context, cache)

    @staticmethod
    def attach(name: str, *, cache: Cache | None = None) -> Existing:
        """A cluster that a run was let onto already, without owning it. Raises ExistingNotFound."""
        state = states(cache).find(name)
        if state is None or state.dead:
            known = ", ".join(one.name for one in states(cache).all() if not one.dead) or "none"
            raise ExistingNotFound(f"no run called {name} is on an existing cluster (there are: {known})")
        return Existing(state, cache)

    @staticmethod
    def left(name: str, *, cache: Cache | None = None) -> Existing | None:
        """The cluster that a killed run of that name was let onto, and may have installed something on, if any."""
        state = states(cache).find(name)
        return Existing(state, cache) if state and state.dead and state.kubeconfig.exists() else None

    @staticmethod
    def sweep(*, kept: bool = False, cache: Cache | None = None) -> list[str]:
        """Forget what killed runs left on this machine; with `kept` runs that nobody owns, too. Their names."""
        if not folder(cache).exists():  # the lock would make it, and the cache with it
            return []
        with states(cache).lock():
            over = [state for state in states(cache).all() if state.dead or (kept and state.owner is None)]
            for state in over:
                _forget(state, cache)
        return [state.name for state in over]

    @property
    def name(self) -> str:
        """The name it is found again by."""
        return self._state.name

    @property
    def labels(self) -> Mapping[str, str]:
        """What tells the run's objects from those of others."""
        return {RUN: self.name}

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the chosen context."""
        return self._state.kubeconfig

    @property
    def scratch(self) -> Path:
        """A folder for files of the run."""
        return self._state.scratch

    @property
    def address(self) -> str:
        """Where `reach` found that NodePorts answer. Raises ExistingFailed where nobody looked yet."""
        if self._state.address is None:
            raise ExistingFailed(
                "nobody has found out yet how this cluster's NodePorts are reached",
                where=self._state.server,
                remedy="let the run that is there install the stack first",
            )
        return self._state.address

    def reach(self, ports: Collection[int]) -> str:
        """Find a node that answers; where there is none, forward NodePorts to this machine's loopback.

        What was found is written down, for the run's other processes. Another process that holds the run forwards for
        this one, too. Raises PortTaken, Blind or KubeError.
        """
        if holder := self._other_holder:
            return f"at {self.address}, as process {holder.pid} reaches them"
        self._stop_forwarding()
        kube = Kube(self.kubeconfig)
        nodes = node_addresses(kube)
        address = answering(nodes, _A_NODE_PORT)
        if address is None:
            self._forward(kube, ports)
        self._state = replace(self._state, address=address or LOOPBACK)
        states(self._cache).save(self._state)
        if address:
            return f"at {address}"
        return f"through the API server, on {LOOPBACK} (no node answers at {', '.join(nodes) or 'any address'})"

    def load(self, archives: Sequence[Path]) -> None:
        """Its nodes are not ours: they are given nothing. Raises ExistingFailed where there is something to give."""
        if archives:
            raise ExistingFailed("images cannot be loaded into the nodes of a cluster that somebody else made")

    def check(self) -> None:
        """Raise ExistingFailed if the API server does not answer any more, and what keeps NodePorts from answering."""
        try:
            Kube(self.kubeconfig).raw("/version")
        except KubeError as error:
            raise ExistingFailed(
                f"the cluster does not answer any more: {error.what}",
                where=self._state.server,
                remedy="see whether it is there; what the run made is removed by the next one, or by --uninstall",
            ) from error
        if self._forwarder:
            self._forwarder.check()

    def restart_api_server(self) -> None:
        """It is somebody else's. Raises ExistingFailed."""
        raise ExistingFailed(
            "the API server of a cluster that somebody else made is not disturbed",
            remedy="play this scenario on a cluster of ours (--cluster node or kind)",
        )

    def keep(self) -> None:
        """Let the run's name outlive this process; forwarding ends with it, and the next run begins it anew."""
        self._stop_forwarding()
        self._state = replace(self._state, owner=None)
        states(self._cache).save(self._state)
        atexit.unregister(self.delete)

    def delete(self) -> None:
        """Let the cluster go: this machine forgets it. What is installed there stays until it is uninstalled."""
        atexit.unregister(self.delete)
        self._stop_forwarding()
        _forget(self._state, self._cache)

    @property
    def _other_holder(self) -> ProcessIdentity | None:
        owner = self._state.owner
        return owner if owner and owner.alive and owner.pid != os.getpid() else None

    def _forward(self, kube: Kube, ports: Collection[int]) -> None:
        self._forwarder = Forwarder.of(kube, ports)
        self._forwarder.start()
        atexit.register(self._stop_forwarding)

    def _stop_forwarding(self) -> None:
        atexit.unregister(self._stop_forwarding)
        if self._forwarder:
            self._forwarder.close()
            self._forwarder = None


def _claim(name: str, context: Context, cache: Cache | None) -> Existing:
    Existing.sweep(cache=cache)
    with states(cache).lock():
        for state in states(cache).all():
            if state.name == name or state.server == context.server:
                holder = f"held by process {state.owner.pid}" if state.owner else "which was kept"
                raise ExistingExists(
                    f"a run called {state.name} is on {state.server}, {holder}",
                    where=str(state.data),
                    remedy=f"wait for its end, or use it with --reuse-cluster {state.name}",
                )
        state = ExistingState(name, context.server, folder(cache) / "data" / name, ProcessIdentity.of(os.getpid()))
        cluster = Existing(state, cache)
        atexit.register(cluster.delete)  # before there is anything: an interrupt may come when nobody holds it yet
        try:
            states(cache).save(state)
            _make_folder(state, context)
        except BaseException:
            cluster.delete()
            raise
    return cluster


def _make_folder(state: ExistingState, context: Context) -> None:
    shutil.rmtree(state.data, ignore_errors=True)
    state.data.mkdir(mode=0o700, parents=True)
    state.scratch.mkdir()
    descriptor = os.open(state.kubeconfig, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(context.minified, file)


def _forget(state: ExistingState, cache: Cache | None) -> None:
    shutil.rmtree(state.data, ignore_errors=True)
    states(cache).forget(state.name)
