"""What is known of the nodes of this machine: one small file each, written before anything else of a node exists.

The folder is the machine's, not a cache's: interfaces, routes and control groups are machine-wide, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node.errors import NodeNotFound
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.layout import Layout
from gitops_e2e.clusters.node.network import Subnet

RUN_FOLDER = Path("/run/gitops-e2e")


@dataclass(frozen=True)
class NodeState:
    """A node: its name, its part of the network, where its files are and which processes hold it.

    The owner is None once the node was handed over; supervisor and init are None until they run.
    """

    name: str
    subnet: Subnet
    data: Path
    owner: ProcessIdentity | None
    supervisor: ProcessIdentity | None = None
    init: ProcessIdentity | None = None

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(self.data)

    @property
    def cgroup(self) -> str:
        """The name of its control groups."""
        return f"gitops-e2e-{self.name}"

    @property
    def running(self) -> bool:
        """Whether its supervisor lives. Without it, init is about to exit if it has not done so."""
        return self.supervisor is not None and self.supervisor.alive

    @property
    def owned(self) -> bool:
        """Whether its owner lives."""
        return self.owner is not None and self.owner.alive

    def to_json(self) -> str:
        """The state as JSON, for people too: with the address and the kubeconfig."""
        told = {"address": str(self.subnet.node), "kubeconfig": str(self.layout.kubeconfig)}
        return json.dumps({**asdict(self), "data": str(self.data), **told}, indent=2)

    @staticmethod
    def from_json(text: str) -> NodeState:
        """The state that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        owner, supervisor, init = (
            ProcessIdentity(**raw[who]) if raw[who] else None for who in ("owner", "supervisor", "init")
        )
        return NodeState(raw["name"], Subnet(**raw["subnet"]), Path(raw["data"]), owner, supervisor, init)


@dataclass(frozen=True)
class Registry:
    """The states of all nodes of the machine, in a folder."""

    folder: Path = RUN_FOLDER

    def lock(self) -> AbstractContextManager[None]:
        """Held by whoever allocates or sweeps."""
        return Cache(self.folder).lock("nodes")

    def save(self, state: NodeState) -> None:
        """Write the state, whole or not at all."""
        path = self._path(state.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(state.to_json())
        partial.replace(path)

    def find(self, name: str) -> NodeState | None:
        """The state of the node of that name."""
        try:
            return NodeState.from_json(self._path(name).read_text())
        except FileNotFoundError:
            return None

    def get(self, name: str) -> NodeState:
        """The state of a node that has one. Raises NodeNotFound."""
        state = self.find(name)
        if state is None:
            raise NodeNotFound(f"there is no node called {name}", where=str(self._path(name)))
        return state

    def all(self) -> Iterator[NodeState]:
        """Every state."""
        for path in sorted((self.folder / "nodes").glob("*.json")):
            state = self.find(path.stem)
            if state:
                yield state

    def hand_over(self, state: NodeState) -> NodeState:
        """Record that nobody owns the node any more."""
        kept = replace(state, owner=None)
        self.save(kept)
        return kept

    def forget(self, state: NodeState) -> None:
        """Remove the state and the control socket: the last step of tidying up."""
        self.control(state.name).unlink(missing_ok=True)
        self._path(state.name).unlink(missing_ok=True)

    def control(self, name: str) -> Path:
        """The control socket of a node. Such a path has 107 bytes at most, so it is no part of a data folder."""
        return self.folder / "nodes" / f"{name}.sock"

    def _path(self, name: str) -> Path:
        return self.folder / "nodes" / f"{name}.json"
