"""Nodes that take no more pods for a while, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_e2e.disturbing import scheduling
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Ref
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node


@pytest.fixture
def nodes(shared_control_plane: ControlPlane) -> Iterator[tuple[Ref, Ref]]:
    """One that takes pods, and one that somebody has closed."""
    kube = shared_control_plane.kube()
    made = [
        kube.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": closed}})
        for name, closed in (("open", False), ("closed", True))
    ]
    refs = Ref.of(made[0]), Ref.of(made[1])
    yield refs
    for ref in refs:
        kube.delete(ref)


def closed_ones(kube: Kube, nodes: tuple[Ref, Ref]) -> list[str]:
    return [node.name for node in nodes if kube.get(node)["spec"].get("unschedulable")]


def test_what_somebody_else_has_closed_stays_closed(shared_control_plane: ControlPlane, nodes: tuple[Ref, Ref]) -> None:
    kube = shared_control_plane.kube()

    ours = scheduling.open_nodes(kube)
    scheduling.close(kube, ours)
    assert closed_ones(kube, nodes) == ["open", "closed"]

    scheduling.reopen(kube, ours)
    assert closed_ones(kube, nodes) == ["closed"]


def test_the_nodes_of_somebody_elses_cluster_are_left_alone(
    shared_control_plane: ControlPlane, nodes: tuple[Ref, Ref]
) -> None:
    kube = Kube(shared_control_plane.kubeconfig, labels={"gitops-e2e/run": "one"})

    with pytest.raises(HarnessError, match="the nodes of a cluster that somebody else made are not disturbed"):
        scheduling.open_nodes(kube)
    assert closed_ones(kube, nodes) == ["closed"]
