"""Of what evidence is collected: the part of the cluster in which a scenario played, since it began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from gitops_e2e.components.git_server import Repositories
from gitops_e2e.deeds import Deed
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube
from gitops_e2e.pipeline.metric import Prometheus
from gitops_e2e.pipeline.names import STAGES, PipelineNames
from gitops_e2e.watching import WatchCache

if TYPE_CHECKING:
    from gitops_e2e.harness import Harness


@dataclass(frozen=True)
class Scene:
    """A scenario's pipelines on a cluster.

    What has to be asked of the cluster raises HarnessError where that is dead: for the collector that asks, alone.
    """

    harness: Harness
    pipelines: Sequence[PipelineNames]
    since: datetime
    deeds: Sequence[Deed]

    @property
    def kube(self) -> Kube:
        """The cluster's API server."""
        return self.harness.kube

    @property
    def cache(self) -> WatchCache:
        """What was seen of the cluster, which outlives it."""
        return self.harness.cache

    @property
    def prometheus(self) -> Prometheus:
        """What has the pipelines' metrics. Raises HarnessError."""
        return self.harness.prometheus

    @property
    def repositories(self) -> Repositories:
        """What has the pipelines' manifests. Raises HarnessError."""
        return self.harness.repositories

    @property
    def registry(self) -> RemoteRegistry:
        """What has the pipelines' images. Raises HarnessError."""
        return self.harness.registry

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces of its pipelines, those of their Projects included."""
        return tuple(chain.from_iterable((each.project, *map(each.namespace, STAGES)) for each in self.pipelines))

    @property
    def applications(self) -> tuple[str, ...]:
        """The names of its Applications."""
        return tuple(each.application(stage) for each in self.pipelines for stage in STAGES)


@dataclass(frozen=True)
class Piece:
    """One file of evidence: its path within the scenario's folder, and its text."""

    path: str
    text: str

    @property
    def media_type(self) -> str:
        """What kind of text it is, by its path."""
        suffix = self.path.rpartition(".")[2]
        return {"yaml": "application/yaml", "json": "application/json", "jsonl": "application/x-ndjson"}.get(
            suffix, "text/plain"
        )


Collector = Callable[[Scene], Iterable[Piece]]
"""Gives pieces as it comes by them: those that it gave are kept when it fails, or takes too long."""
