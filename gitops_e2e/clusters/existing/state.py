"""What this machine knows of a run on a cluster that exists."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.files import ClusterFiles
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.records import Records


@dataclass(frozen=True)
class ExistingState(ClusterFiles):
    """A run: its name, the API server it is on, where its files are, who owns it (None once it was handed over).

    `address` is where its NodePorts answer, None as long as nobody looked. It is this machine's loopback where the
    process that the run belongs to forwards them.
    """

    name: str
    server: str
    data: Path
    owner: ProcessIdentity | None
    address: str | None = None

    @property
    def dead(self) -> bool:
        """Whether the run has ended without tidying up."""
        return self.owner is not None and not self.owner.alive

    def to_json(self) -> str:
        """The state as JSON."""
        return json.dumps({**asdict(self), "data": str(self.data)}, indent=2)

    @staticmethod
    def from_json(text: str) -> ExistingState:
        """The state that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        owner = ProcessIdentity(**raw["owner"]) if raw["owner"] else None
        return ExistingState(raw["name"], raw["server"], Path(raw["data"]), owner, raw.get("address"))


def states(cache: Cache | None = None) -> Records[ExistingState]:
    """The runs of this user on clusters that exist: nobody has to be root for those."""
    return Records(folder(cache), ExistingState.from_json)


def folder(cache: Cache | None = None) -> Path:
    """Where their records and their files are."""
    return (cache or Cache.of_user()).root / "existing"
