"""Controllers over a real API server: what wakes them, what they read back, what stops them."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_e2e.kube import PODS, Kube, Manifest, Ref, Resource
from gitops_e2e.promoter.runtime import (
    Controller,
    EventRecorder,
    Key,
    Manager,
    Stores,
    StoringKube,
    Trigger,
    annotation_changed,
    any_of,
    generation_changed,
    patch_status,
)

pytestmark = pytest.mark.node

CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)
NO_SUCH_KIND = Resource("nothing.example/v1", "Nothing", "nothings", namespaced=True)
WAIT = 10.0


class Recording:
    """A reconciler that tells what it was given of one namespace."""

    def __init__(self, space: str, look: Callable[[Manifest], float | None] = lambda _: None) -> None:
        self.resource = PODS
        self.seen: queue.Queue[Manifest] = queue.Queue()
        self._space = space
        self._look = look

    def reconcile(self, manifest: Manifest) -> float | None:
        if manifest["metadata"]["namespace"] != self._space:
            return None
        self.seen.put(manifest)
        return self._look(manifest)

    def next(self) -> Manifest:
        return self.seen.get(timeout=WAIT)


@contextmanager
def running(kube: StoringKube, *controllers: Controller) -> Iterator[None]:
    manager = Manager(kube, controllers)
    manager.start()
    try:
        yield
    finally:
        manager.stop(within=WAIT)


@pytest.fixture
def storing(bare_apiserver: Path) -> StoringKube:
    return StoringKube(bare_apiserver, Stores())


@pytest.fixture
def space(storing: StoringKube, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.replace("_", "-")[:60].rstrip("-")
    ref = Ref("v1", "Namespace", name)
    storing.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for kind in ("Pod", "ConfigMap"):
        for left in storing.list(storing.resource("v1", kind), name):
            storing.delete(Ref.of(left))
    storing.delete(ref)


def pod(namespace: str, name: str = "p") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def test_an_object_is_looked_at_when_it_is_there_already_and_when_it_is_made(storing: StoringKube, space: str) -> None:
    storing.create(pod(space, "before"))
    recording = Recording(space)
    with running(storing, Controller(recording)):
        assert recording.next()["metadata"]["name"] == "before"
        Kube(storing.kubeconfig).create(pod(space, "after"))
        assert recording.next()["metadata"]["name"] == "after"


def test_status_does_not_wake_but_a_watched_annotation_does(storing: StoringKube, space: str) -> None:
    outside = Kube(storing.kubeconfig)
    made = outside.create(pod(space))
    recording = Recording(space)
    wakes = any_of(generation_changed, annotation_changed("example/refresh"))
    with running(storing, Controller(recording, wakes)):
        recording.next()
        outside.patch(Ref.of(made), {"status": {"message": "hello"}}, subresource="status")
        outside.patch(Ref.of(made), {"metadata": {"annotations": {"example/other": "1"}}})
        outside.patch(Ref.of(made), {"metadata": {"annotations": {"example/refresh": "1"}}})
        assert recording.next()["metadata"]["annotations"] == {"example/other": "1", "example/refresh": "1"}
        assert recording.seen.empty()


def test_another_resource_wakes_by_its_mapping(storing: StoringKube, space: str) -> None:
    storing.create(pod(space))
    recording = Recording(space)
    trigger = Trigger(CONFIG_MAPS, lambda change: [Key(space, change.newest["metadata"]["name"])])
    with running(storing, Controller(recording, triggers=[trigger])):
        recording.next()
        Kube(storing.kubeconfig).create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p", "namespace": space}}
        )
        assert recording.next()["metadata"]["name"] == "p"


def test_what_a_reconciler_writes_it_reads_back_at_once(storing: StoringKube, space: str) -> None:
    pods = storing.stores.of(PODS)
    found: queue.Queue[str] = queue.Queue()

    def look(manifest: Manifest) -> None:
        patch_status(storing, manifest, {**manifest["status"], "message": "written"})
        stored = pods.get(Key.of(manifest))
        assert stored is not None
        found.put(stored["status"]["message"])

    with running(storing, Controller(Recording(space, look))):
        storing.create(pod(space))
        assert found.get(timeout=WAIT) == "written"


def test_an_error_is_retried_and_a_delay_is_kept(storing: StoringKube, space: str) -> None:
    looks: list[int] = []

    def look(_manifest: Manifest) -> float | None:
        looks.append(len(looks))
        if len(looks) < 3:
            raise ZeroDivisionError
        return 0.01 if len(looks) < 5 else None

    recording = Recording(space, look)
    with running(storing, Controller(recording)):
        storing.create(pod(space))
        for _ in range(5):
            recording.next()
    assert looks == [0, 1, 2, 3, 4]


def test_a_kind_that_is_not_served_does_not_hold_up_the_others(storing: StoringKube, space: str) -> None:
    recording = Recording(space)
    controller = Controller(recording, triggers=[Trigger(NO_SUCH_KIND, lambda _: [])])
    with running(storing, controller):
        storing.create(pod(space))
        recording.next()


def test_patching_an_equal_status_writes_nothing(storing: StoringKube, space: str) -> None:
    made = storing.create(pod(space))
    assert patch_status(storing, made, {**made["status"], "message": "once"})
    version = made["metadata"]["resourceVersion"]
    assert not patch_status(storing, made, dict(made["status"]))
    assert storing.get(Ref.of(made))["metadata"]["resourceVersion"] == version


def test_an_event_is_recorded_as_kargo_records_it(storing: StoringKube, space: str) -> None:
    involved = storing.create(pod(space))
    EventRecorder(storing, "stage-controller").record(involved, "Reason", "A message", {"project": space})
    events = storing.list(storing.resource("v1", "Event"), space)
    assert len(events) == 1
    event = events[0]
    assert event["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": space}
    assert event["source"] == {"component": "stage-controller"}
    assert event["metadata"]["annotations"] == {"event.kargo.akuity.io/project": space}
    assert (event["type"], event["reason"], event["message"], event["count"]) == ("Normal", "Reason", "A message", 1)
