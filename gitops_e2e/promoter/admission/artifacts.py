"""Whether Freight is made of what its Warehouse subscribes to: one artifact for each subscription."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission import shapes
from gitops_e2e.promoter.admission.refusals import FieldError, invalid
from gitops_e2e.promoter.api.gotext import Shape, quote
from gitops_e2e.promoter.api.urls import normalized_git_url

ARTIFACT_KINDS: Mapping[str, Shape] = MappingProxyType(
    {"commits": shapes.COMMIT, "images": shapes.IMAGE, "charts": shapes.CHART}
)
"""The lists of artifacts in a Freight, and the fields of what is in them."""


@dataclass(frozen=True)
class _Source:
    """How one kind of artifact goes with subscriptions: `key` is equal for an artifact and its subscription."""

    subscription: str
    repository: str
    key: Callable[[Manifest], tuple[str, ...]]


_SOURCES = MappingProxyType(
    {
        "commits": _Source("git", "Git repository", lambda item: (normalized_git_url(item["repoURL"]),)),
        "images": _Source("image", "image repository", lambda item: (item["repoURL"],)),
        "charts": _Source("chart", "Helm chart", lambda item: (item["repoURL"], item.get("name", ""))),
    }
)


def artifact_errors(freight: Manifest, warehouse: Manifest) -> Iterator[FieldError]:
    """Artifacts nobody subscribed to; subscriptions without an artifact, or with several."""
    name = quote(warehouse["metadata"]["name"])
    for kind, source in _SOURCES.items():
        artifacts = freight.get(kind) or []
        subscriptions = [
            entry[source.subscription] for entry in warehouse["spec"]["subscriptions"] if source.subscription in entry
        ]
        subscribed = {source.key(subscription) for subscription in subscriptions}
        for index, artifact in enumerate(artifacts):
            if source.key(artifact) not in subscribed:
                detail = f"no subscription found for {source.repository} in Warehouse {name}"
                yield invalid(f"{kind}[{index}]", artifact, detail, shape=ARTIFACT_KINDS[kind])
        for subscription in subscriptions:
            count = sum(source.key(artifact) == source.key(subscription) for artifact in artifacts)
            if count != 1:
                found = "multiple artifacts" if count else "no artifact"
                detail = f"{found} found for subscription {quote(subscription['repoURL'])} of Warehouse {name}"
                yield invalid(kind, freight.get(kind), detail, shape=ARTIFACT_KINDS[kind])
