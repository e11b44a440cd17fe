"""Whether nodes get images and answer, on a real API server whose nodes and kubelets are the test's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gitops_e2e.clusters.existing.errors import PreflightRefused
from gitops_e2e.clusters.existing.reach import answering, node_addresses, require_images
from gitops_e2e.kube import PODS, Kube, KubeError, Manifest, Ref
from tests.control_plane import ControlPlane, free_port

pytestmark = pytest.mark.node

# The broadcast address: the kernel itself refuses to connect to it.
_NOBODY = "255.255.255.255"
_IMAGES = ("one:1", "two:2")


@pytest.fixture
def kube(own_control_plane: ControlPlane) -> Kube:
    return own_control_plane.kube()


def test_the_first_address_that_answers_is_taken_be_it_a_refusal(kube: Kube) -> None:
    assert node_addresses(kube) == []
    _add_node(kube, "a", _NOBODY, "127.0.0.1")

    assert node_addresses(kube) == [_NOBODY, "127.0.0.1"]
    assert answering(node_addresses(kube), free_port()) == "127.0.0.1"


def test_nodes_may_not_answer() -> None:
    assert answering([], 30500) is None
    assert answering([_NOBODY], 30500) is None


def test_every_node_that_takes_pods_is_asked_for_every_image(kube: Kube) -> None:
    _add_node(kube, "a")
    _add_node(kube, "b")
    _add_node(kube, "tainted", taint=True)

    with _kubelets(kube, {"imageID": "sha256:1", "state": {"terminated": {"exitCode": 1}}}) as seen:
        require_images(kube, _IMAGES, remedy="load them")

    assert sorted(seen) == [("a", _IMAGES), ("b", _IMAGES)]
    assert kube.list(PODS) == []


def test_a_node_that_does_not_get_an_image_is_told_in_the_words_of_its_kubelet(kube: Kube) -> None:
    _add_node(kube, "a")
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}

    with (
        _kubelets(kube, {"imageID": "", "state": waiting}),
        pytest.raises(PreflightRefused, match=r"node a does not get .*: no such host(.|\n)*to do: load them"),
    ):
        require_images(kube, _IMAGES, remedy="load them")

    assert kube.list(PODS) == []


def test_no_pod_stays_where_a_further_one_is_refused(kube: Kube) -> None:
    _add_node(kube, "a")
    _add_node(kube, "b")
    one = {"hard": {"pods": "1"}}
    metadata = {"name": "one-pod", "namespace": "default"}
    quota = kube.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": one})
    kube.patch(Ref.of(quota), {"status": {**one, "used": {"pods": "0"}}}, subresource="status")  # no controller does

    with pytest.raises(KubeError, match="exceeded quota"):
        require_images(kube, _IMAGES, remedy="load them")

    assert kube.list(PODS) == []


def _add_node(kube: Kube, name: str, *addresses: str, taint: bool = False) -> None:
    spec = {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]} if taint else {}
    node = kube.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec})
    told = [{"type": "InternalIP", "address": each} for each in addresses]
    # The API server taints a new node until it is ready.
    kube.patch(Ref.of(node), {"spec": {"taints": spec.get("taints")}})
    kube.patch(Ref.of(node), {"status": {"addresses": told}}, subresource="status")


@contextmanager
def _kubelets(kube: Kube, status: Manifest) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """Give every container of every new pod this status; which node got pods of which images."""
    seen: list[tuple[str, tuple[str, ...]]] = []
    stop = threading.Event()

    def work() -> None:
        done: set[str] = set()
        while not stop.wait(0.1):
            for pod in kube.list(PODS):
                if pod["metadata"]["uid"] not in done:
                    done.add(pod["metadata"]["uid"])
                    containers = pod["spec"]["containers"]
                    seen.append((pod["spec"]["nodeName"], tuple(each["image"] for each in containers)))
                    told = [_status(each, status) for each in containers]
                    kube.patch(Ref.of(pod), {"status": {"containerStatuses": told}}, subresource="status")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _status(container: Manifest, status: Manifest) -> Manifest:
    return {"name": container["name"], "image": container["image"], "ready": False, "restartCount": 0, **status}
