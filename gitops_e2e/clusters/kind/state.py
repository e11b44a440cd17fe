"""What is known of a kind cluster of ours."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.clusters.files import ClusterFiles
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.state import RUN_FOLDER
from gitops_e2e.clusters.records import Records


@dataclass(frozen=True)
class KindState(ClusterFiles):
    """A cluster: its name, its engine, where its files are, who owns it (None once it was handed over).

    `demo_ports` tells whether the demo's NodePorts are mapped to this machine: only one cluster can have them.
    """

    name: str
    engine: Engine
    data: Path
    owner: ProcessIdentity | None
    demo_ports: bool

    @property
    def node(self) -> str:
        """The container that is the node; kind names it so."""
        return f"{self.name}-control-plane"

    @property
    def dead(self) -> bool:
        """Whether the run that owns it has ended without deleting it, or an engine of ours has, and so the cluster."""
        ours = self.engine.socket.is_relative_to(RUN_FOLDER)
        return (self.owner is not None and not self.owner.alive) or (ours and not self.engine.socket.exists())

    def to_json(self) -> str:
        """The state as JSON."""
        return json.dumps({**asdict(self), "engine": str(self.engine.socket), "data": str(self.data)}, indent=2)

    @staticmethod
    def from_json(text: str) -> KindState:
        """The state that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        owner = ProcessIdentity(**raw["owner"]) if raw["owner"] else None
        return KindState(raw["name"], Engine(Path(raw["engine"])), Path(raw["data"]), owner, raw["demo_ports"])


def states() -> Records[KindState]:
    """The kind clusters of this machine that are ours."""
    return Records(RUN_FOLDER / "kind", KindState.from_json)
