from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gitops_e2e.kube import Kube, Ref
from gitops_e2e.pipeline.node_ports import DEMO_PORTS, NodePorts, NoFreeNodePorts, may_be_pipelines
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def kube(shared_control_plane: ControlPlane) -> Kube:
    kube = shared_control_plane.kube()
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gitops-e2e"}})
    return kube


@pytest.fixture
def node_ports(kube: Kube) -> Iterator[NodePorts]:
    ports = NodePorts(kube)
    yield ports
    for pipeline in ["kargo-demo", "a", "b", *(f"p{number}" for number in range(12))]:
        ports.release(pipeline)


@pytest.fixture
def someone(kube: Kube) -> Iterator[Callable[[int], None]]:
    """Let someone else's Service have a NodePort."""
    ref = Ref("v1", "Service", "someone", "default")

    def take(port: int) -> None:
        kube.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": ref.name, "namespace": ref.namespace},
                "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]},
            }
        )

    yield take
    kube.delete(ref)


def test_pipelines_get_ports_of_their_own(node_ports: NodePorts) -> None:
    first, second = node_ports.claim("a"), node_ports.claim("b")
    assert list(first) == ["dev", "staging", "prod"]
    assert len({*first.values(), *second.values()}) == 6
    assert all(30000 <= port <= 32767 for port in [*first.values(), *second.values()])


def test_ports_of_pipelines_are_known_by_their_numbers(node_ports: NodePorts) -> None:
    assert all(map(may_be_pipelines, [*DEMO_PORTS.values(), *node_ports.claim("shop").values(), 32766]))
    assert not any(map(may_be_pipelines, [30080, 30500, 30999, 32767]))


def test_nobody_but_the_demo_gets_its_ports(node_ports: NodePorts) -> None:
    claims = [node_ports.claim(f"p{number}") for number in range(5)]
    assert not {port for claim in claims for port in claim.values()} & set(DEMO_PORTS.values())
    assert node_ports.claim("kargo-demo") == DEMO_PORTS


def test_pipelines_made_at_the_same_time_do_not_collide(node_ports: NodePorts) -> None:
    with ThreadPoolExecutor(12) as workers:
        claims = list(workers.map(lambda number: node_ports.claim(f"p{number}"), range(12)))
    assert len({port for claim in claims for port in claim.values()}) == 36


def test_released_ports_are_free_again(node_ports: NodePorts) -> None:
    first = node_ports.claim("a")
    node_ports.release("a")
    assert node_ports.claim("b") == first
    node_ports.release("a")


def test_ports_of_other_services_are_not_given_out(node_ports: NodePorts, someone: Callable[[int], None]) -> None:
    free = node_ports.claim("a")
    node_ports.release("a")
    someone(free["staging"])
    assert free["staging"] not in node_ports.claim("b").values()


def test_the_demo_cannot_have_ports_that_are_used(node_ports: NodePorts, someone: Callable[[int], None]) -> None:
    someone(30088)
    with pytest.raises(NoFreeNodePorts, match="uses NodePorts 30087, 30088, 30089 already"):
        node_ports.claim("kargo-demo")


@pytest.mark.parametrize("pipeline", ["a", "kargo-demo"])
def test_a_pipeline_exists_once(pipeline: str, node_ports: NodePorts) -> None:
    node_ports.claim(pipeline)
    with pytest.raises(NoFreeNodePorts, match=f"has a pipeline {pipeline} already"):
        node_ports.claim(pipeline)
