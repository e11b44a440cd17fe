"""Nodes that take no more pods, as when their disks are nearly full."""

from __future__ import annotations

from gitops_e2e.kube import NODES, Kube, Ref


def close_nodes(kube: Kube) -> None:
    """Let no node take any more pods; those that it has go on. Raises KubeError."""
    _set(kube, unschedulable=True)


def open_nodes(kube: Kube) -> None:
    """Let every node take pods. Raises KubeError."""
    _set(kube, unschedulable=None)


def _set(kube: Kube, *, unschedulable: bool | None) -> None:
    for node in kube.list(NODES):
        kube.patch(Ref.of(node), {"spec": {"unschedulable": unschedulable}})
