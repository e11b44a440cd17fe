"""A kind cluster: start, attach, keep, load images, delete."""

from __future__ import annotations

import atexit
import os
import re
import socket
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind import configuration, driver
from gitops_e2e.clusters.kind.control_plane import ETCD
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import ClusterExists, ClusterNotFound, KindFailed, KindUnavailable
from gitops_e2e.clusters.kind.node_image import NodeImage, OwnNodeImage
from gitops_e2e.clusters.kind.state import KindState, states
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.kube import Kube, KubeError, Ref
from gitops_e2e.machine.isolation import private_processes
from gitops_e2e.progress import say
from gitops_e2e.side_by_side import side_by_side
from gitops_e2e.toolchain import Toolchain

_CREATE_BOUND = 180.0
_DELETE_BOUND = 60.0
_LOAD_BOUND = 300.0
_LOADERS = 2
_READY_BOUND = 60.0
_REMOVAL_BOUND = 60.0
_POLL = 0.1
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_IMAGES = "gitops-e2e.local"
_API_SERVER = "kube-apiserver"
# Pods are refused without the account, and their volumes fail at first without the authority's certificate.
_NEEDED = (Ref("v1", "ServiceAccount", "default", "default"), Ref("v1", "ConfigMap", "kube-root-ca.crt", "default"))


@dataclass(frozen=True)
class Tools:
    """What kind is driven with: the commands, and the tag of etcd's image."""

    kind: Path
    kubectl: Path
    etcd: str

    @staticmethod
    def of(toolchain: Toolchain) -> Tools:
        """Those of the toolchain, built if missing."""
        return Tools(toolchain.binary("kind"), toolchain.binary("kubectl"), toolchain.version(ETCD))


class Kind:
    """A running kind cluster. Made by `start` or `attach`; a `gitops_e2e.clusters.protocol.Cluster`."""

    provider = "kind"
    labels: Mapping[str, str] = MappingProxyType({})

    def __init__(self, state: KindState, tools: Tools) -> None:
        self._state = state
        self._tools = tools
        self._address: str | None = None

    @staticmethod
    def start(
        name: str,
        *,
        engine: Engine,
        tools: Tools,
        image: NodeImage,
        archives: Sequence[Path] = (),
        cache: Cache | None = None,
    ) -> Kind:
        """Create a cluster, wait until pods can be made in it, and load images.

        It is deleted with this process, unless it is kept; where this process is killed, at the next start.
        Raises EngineUnavailable, KindUnavailable, ClusterExists, or KindFailed with what kind said; nothing is left
        then.
        """
        engine.require()
        if not _NAME.fullmatch(name):
            raise KindFailed(
                f"{name!r} is no name for a cluster", remedy="use small letters, digits and hyphens, 42 at most"
            )
        cluster: Kind = _claim(name, engine, tools, cache or Cache.of_user())
        try:
            cluster._bring_up(image)
            cluster.load(archives)
        except BaseException:
            cluster.delete()
            raise
        return cluster

    @staticmethod
    def attach(name: str, tools: Tools) -> Kind:
        """A cluster that runs already, without owning it. Raises ClusterNotFound."""
        state = states().find(name)
        if state is None or state.dead:
            known = ", ".join(one.name for one in states().all() if not one.dead) or "none"
            raise ClusterNotFound(
                f"there is no kind cluster of ours called {name} (running: {known})",
                remedy="start one with --cluster kind --keep-cluster, and use its name",
            )
        state.engine.require()
        return Kind(state, tools)

    @staticmethod
    def sweep(*, kept: bool = False) -> list[str]:
        """Remove what killed runs left; with `kept` clusters that nobody owns, too. Their names."""
        with states().lock():
            over = [state for state in states().all() if state.dead or (kept and state.owner is None)]
            for state in over:
                _remove(state)
        return [state.name for state in over]

    # --- the cluster

    @property
    def name(self) -> str:
        """The name it is found again by."""
        return self._state.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._state.kubeconfig

    @property
    def address(self) -> str:
        """The address of the node's container in Docker's network.

        All NodePorts answer there, so every pipeline can have its own, and clusters side by side do not meet; ports
        of this machine would have to be told to Docker one by one before the cluster is made.
        """
        if self._address is None:
            self._address = self._state.engine.address(self._state.node)
        return self._address

    def reach(self, ports: Collection[int]) -> str:  # noqa: ARG002 - all of them answer
        """They answer by themselves."""
        return f"at {self.address}"

    @property
    def scratch(self) -> Path:
        """A folder for files of the run that the cluster is for."""
        return self._state.scratch

    def load(self, archives: Sequence[Path]) -> None:
        """Import OCI archives into the node's containerd. Raises KindFailed."""
        side_by_side([partial(self._load, archive) for archive in archives], at_most=_LOADERS)

    def check(self) -> None:
        """Raise KindFailed if the engine does not answer any more, or the node does not run."""
        engine = self._state.engine
        if reason := engine.unavailable_because():
            raise KindFailed(
                f"kind cluster {self.name} has died with its Docker engine: {reason}",
                remedy="see why the engine ended; the next run starts a new cluster",
            )
        if not engine.runs(self._state.node):
            raise KindFailed(
                f"the node of kind cluster {self.name} does not run any more (container {self._state.node})",
                where=str(engine.socket),
                remedy="see who stopped it; the next run starts a new cluster",
            )

    def restart_api_server(self) -> None:
        """Kill the API server; the node's kubelet starts another one. Raises KindFailed where none answers in time."""
        self._state.engine.docker("exec", self._state.node, "pkill", "--exact", "--signal", "KILL", _API_SERVER)
        self._await_ready()

    def keep(self) -> None:
        """Let the cluster outlive this process; from now on only `delete` ends it."""
        self._state = replace(self._state, owner=None)
        states().save(self._state)
        atexit.unregister(self.delete)

    def delete(self) -> None:
        """Delete the cluster and everything of it. Gone already is fine, and so is an engine that is."""
        atexit.unregister(self.delete)
        state = states().find(self.name)
        if state is None or state.data != self._state.data:
            return
        try:
            if state.data.exists() and state.engine.unavailable_because() is None:
                drive("delete", state, self._tools, timeout=_DELETE_BOUND)
        finally:
            _remove(state)

    # --- starting

    def _bring_up(self, image: NodeImage) -> None:
        state = self._state
        state.scratch.mkdir(parents=True)
        _give(state.engine, image)
        parts = configuration.Parts(_IMAGES, self._tools.etcd) if isinstance(image, OwnNodeImage) else None
        config = configuration.write(state.data, demo_ports=state.demo_ports, parts=parts)
        drive("create", state, self._tools, timeout=_CREATE_BOUND, image=image.reference, config=str(config))
        self._await_ready()
        if not state.demo_ports:
            say("  (the demo's ports are taken on 127.0.0.1: its NodePorts answer at the cluster's address alone)")

    def _await_ready(self) -> None:
        """What kind calls ready is a node that says so: with a static network configuration, from the first moment."""
        kube = Kube(self.kubeconfig)
        deadline = time.monotonic() + _READY_BOUND
        while True:
            try:
                missing = [ref for ref in _NEEDED if kube.find(ref) is None]
            except KubeError as error:
                missing, reason = list(_NEEDED), str(error)
            else:
                reason = f"there is no {', no '.join(map(str, missing))}"
            if not missing:
                return
            if time.monotonic() > deadline:
                raise KindFailed(f"pods cannot be made in kind cluster {self.name} after {_READY_BOUND:g} s: {reason}")
            time.sleep(_POLL)

    def _load(self, archive: Path) -> None:
        argv: list[str | Path] = [
            *private_processes(),
            self._tools.kind,
            "load",
            "image-archive",
            f"--name={self.name}",
            archive,
        ]
        try:
            run(argv, timeout=_LOAD_BOUND, env=self._state.engine.environment)
        except CommandFailed as error:
            raise _failed(self._state, f"load {archive} into", error) from error


def _claim(name: str, engine: Engine, tools: Tools, cache: Cache) -> Kind:
    """Take the name, and the demo's ports where they are free, after sweeping what killed runs left."""
    Kind.sweep()
    with states().lock():
        known = states().find(name)
        if known:
            holder = f"held by process {known.owner.pid}" if known.owner else "which was kept"
            raise ClusterExists(
                f"a kind cluster called {name} exists, {holder}",
                where=str(known.data),
                remedy=f"use it with --reuse-cluster {name}; take another name; "
                "or, where it was kept, end all kept ones with `.venv/bin/python -m gitops_e2e.clean`",
            )
        data = cache.root / "kind" / name
        if not data.exists() and (nodes := engine.nodes(name)):
            # KindCluster would take it for its own, and fail later for want of a kubeconfig.
            raise ClusterExists(
                f"a kind cluster called {name} exists that is not ours (container {', '.join(nodes)})",
                where=str(engine.socket),
                remedy=f"take another name, or delete it with `kind delete cluster --name {name}`",
            )
        others = (one for one in states().all() if one.demo_ports)
        ports = not any(others) and all(map(_free, configuration.KNOWN))
        state = KindState(name, engine, data, ProcessIdentity.of(os.getpid()), demo_ports=ports)
        if data.exists():  # of a run before the machine was started anew: its record is gone
            _remove(state)
        cluster = Kind(state, tools)
        atexit.register(cluster.delete)  # before there is anything: an interrupt may come when nobody holds it yet
        states().save(state)
    return cluster


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _give(engine: Engine, image: NodeImage) -> None:
    """Load the node's image, or let it be pulled, where the engine does not have it; two runs do not do it both."""
    with states().lock():
        if engine.has_image(image.reference):
            return
        if isinstance(image, OwnNodeImage):
            engine.load(image.archive)
        else:
            engine.pull(image.reference)


def _remove(state: KindState) -> None:
    """Remove what there is of the cluster, where its engine still is, and its files; its record goes last."""
    if state.engine.unavailable_because() is None:
        state.engine.remove_nodes(state.name)
    run(["rm", "--recursive", "--force", state.data], timeout=_REMOVAL_BOUND)
    states().forget(state.name)


def drive(
    verb: str,
    state: KindState,
    tools: Tools,
    *,
    timeout: float,
    image: str | None = None,
    config: str | None = None,
) -> None:
    """Let KindCluster do it, in a process that ends with this one and takes its own with it."""
    request = driver.Request(
        state.name, str(tools.kind), str(tools.kubectl), str(state.kubeconfig), image=image, config=config
    )
    argv = [*private_processes(), sys.executable, "-m", driver.MODULE, verb]
    try:
        run(argv, timeout=timeout, cwd=state.data, env=state.engine.environment, stdin=request.to_json())
    except CommandFailed as error:
        if driver.EXTRA_MISSING in error.output:
            raise KindUnavailable(
                f"{driver.EXTRA_MISSING}, by which kind is driven",
                remedy="pip install 'gitops-e2e[kind]', or choose another provider with --cluster",
            ) from error
        raise _failed(state, verb, error) from error


def _failed(state: KindState, what: str, error: CommandFailed) -> KindFailed:
    """What kind said, or that the engine has gone, which explains whatever kind says."""
    gone = state.engine.unavailable_because()
    if gone:
        return KindFailed(f"kind cannot {what} cluster {state.name}: {gone}", remedy="start Docker, and run again")
    return KindFailed(f"kind cannot {what} cluster {state.name}: {error}", remedy=error.remedy)
