"""Nodes that take no more pods, as when their disks are nearly full."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import NODES, Kube, Ref


def open_nodes(kube: Kube) -> list[Ref]:
    """The nodes that take pods. Raises KubeError; HarnessError where they are somebody else's, and not disturbed."""
    if kube.labels:
        raise HarnessError(
            "the nodes of a cluster that somebody else made are not disturbed",
            remedy="play this scenario on a cluster of ours (--cluster node or kind)",
        )
    return [Ref.of(node) for node in kube.list(NODES) if not node["spec"].get("unschedulable")]


def close(kube: Kube, nodes: Iterable[Ref]) -> None:
    """Let these nodes take no more pods; those that they have go on. Raises KubeError."""
    _set(kube, nodes, unschedulable=True)


def reopen(kube: Kube, nodes: Iterable[Ref]) -> None:
    """Let these nodes take pods again. Raises KubeError."""
    _set(kube, nodes, unschedulable=None)


def _set(kube: Kube, nodes: Iterable[Ref], *, unschedulable: bool | None) -> None:
    for node in nodes:
        kube.patch(node, {"spec": {"unschedulable": unschedulable}})
