"""A follower of a real API server that is killed, restarted and compacted under it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gitops_e2e.kube import Follower, Kube, KubeError, Manifest, NotFound, Ref, Resource
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)
WAIT = 30.0


class Notebook:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.listings: queue.Queue[set[str]] = queue.Queue()
        self.changes: queue.Queue[tuple[str, str]] = queue.Queue()
        self.blind: queue.Queue[KubeError] = queue.Queue()
        self.mistakes: queue.Queue[Exception] = queue.Queue()

    def listed(self, collection: Manifest) -> None:
        self.listings.put({item["metadata"]["name"] for item in collection["items"]})

    def watched(self, event: Manifest) -> None:
        if event["type"] != "BOOKMARK":
            self.changes.put((event["type"], event["object"]["metadata"]["name"]))

    def sees(self, blind: KubeError | None) -> None:
        if blind:
            self.blind.put(blind)

    def broke(self, error: Exception) -> None:
        self.mistakes.put(error)


@contextmanager
def following(kube: Kube, resource: Resource = CONFIG_MAPS) -> Iterator[Notebook]:
    notebook = Notebook()
    follower = Follower(kube, resource, notebook)
    follower.start()
    try:
        yield notebook
    finally:
        follower.stop()
        follower.join(WAIT)
        assert not follower.is_alive()


def config_map(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def change_of(notebook: Notebook, name: str) -> str:
    """What is told of an object next; the API server's own objects are passed over."""
    while True:
        kind, changed = notebook.changes.get(timeout=WAIT)
        if changed == name:
            return kind


def test_it_lists_once_and_tells_every_change_in_order(shared_control_plane: ControlPlane) -> None:
    kube = shared_control_plane.kube()
    kube.create(config_map("before"))
    with following(kube) as notebook:
        assert "before" in notebook.listings.get(timeout=WAIT)
        made = kube.create(config_map("follow"))
        kube.patch(Ref.of(made), {"data": {"a": "1"}})
        kube.delete(Ref.of(made))
        assert [change_of(notebook, "follow") for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
        assert notebook.listings.empty()


def test_it_goes_on_after_a_restart_without_missing_anything(own_control_plane: ControlPlane) -> None:
    with following(own_control_plane.kube()) as notebook:
        notebook.listings.get(timeout=WAIT)
        own_control_plane.kube().create(config_map("first"))
        assert change_of(notebook, "first") == "ADDED"
        own_control_plane.api_server.kill()
        notebook.blind.get(timeout=WAIT)
        own_control_plane.api_server.start()
        own_control_plane.wait_until_ready()
        own_control_plane.kube().create(config_map("second"))
        assert change_of(notebook, "second") == "ADDED"
        assert notebook.mistakes.empty()


def test_a_kind_that_is_not_served_is_told_as_such(shared_control_plane: ControlPlane) -> None:
    nothing = Resource("nothing.example/v1", "Nothing", "nothings", namespaced=True)
    with following(shared_control_plane.kube(), nothing) as notebook:
        assert isinstance(notebook.blind.get(timeout=WAIT), NotFound)


def test_a_mistake_of_the_observer_ends_it_and_is_told(
    shared_control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threading.excepthook", lambda _: None)

    class Clumsy(Notebook):
        def listed(self, collection: Manifest) -> None:
            raise ZeroDivisionError(len(collection))

    notebook = Clumsy()
    follower = Follower(shared_control_plane.kube(), CONFIG_MAPS, notebook)
    follower.start()
    assert isinstance(notebook.mistakes.get(timeout=WAIT), ZeroDivisionError)
    follower.join(WAIT)
