"""Projects and ProjectConfigs on a real API server: their namespaces, conditions and counts, and how they go."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION, FINALIZER
from gitops_e2e.promoter.projects import config_controller, namespace_controller, project_controller
from gitops_e2e.promoter.runtime import Manager, Stores, StoringKube

pytestmark = pytest.mark.node

RECORDED = Path(__file__).parent / "recordings/objects/after-first-rollback"
WAIT = 20.0
Seen = TypeVar("Seen")
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def engine(apiserver: Path) -> Iterator[None]:
    """The controllers of Projects and ProjectConfigs."""
    kube = StoringKube(apiserver, Stores())
    manager = Manager(kube, [project_controller(kube), namespace_controller(kube), config_controller(kube)])
    manager.start()
    yield
    manager.stop(within=WAIT)


@pytest.fixture
def name() -> str:
    return f"owned-{next(_numbers)}"


@pytest.fixture
def project(kube: Kube, name: str) -> Manifest:
    """A Project that is ready."""
    create_project(kube, name)
    return eventually(lambda: kube.get(project_ref(name)), is_ready)


def create_project(kube: Kube, name: str, **metadata: Any) -> Manifest:
    return kube.create({"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": name, **metadata}})


def project_ref(name: str) -> Ref:
    return Ref(API_VERSION, "Project", name)


def namespace_ref(name: str) -> Ref:
    return Ref("v1", "Namespace", name)


def eventually(look: Callable[[], Seen], holds: Callable[[Seen], bool]) -> Seen:
    """What is seen once it is as expected."""
    deadline = time.monotonic() + WAIT
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"still {json.dumps(seen, indent=1)}"
        time.sleep(0.02)
    return seen


def conditions(manifest: Manifest) -> dict[str, tuple[str, str, str]]:
    found = manifest.get("status", {}).get("conditions", [])
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in found}


def is_ready(manifest: Manifest) -> bool:
    return conditions(manifest).get("Ready", ("",))[0] == "True"


def is_gone(manifest: Manifest | None) -> bool:
    return manifest is None


def without_times_and_ids(manifest: Manifest) -> Manifest:
    metadata = {key: manifest["metadata"].get(key) for key in ("finalizers", "labels")}
    owners = [
        {key: value for key, value in owner.items() if key != "uid"}
        for owner in manifest["metadata"].get("ownerReferences", [])
    ]
    status = json.loads(json.dumps(manifest.get("status", {})))
    for condition in status.get("conditions", []):
        del condition["lastTransitionTime"]
    status.pop("stats", None)
    return {"metadata": metadata, "owners": owners, "status": status}


def recorded(file: str, name: str) -> Manifest:
    """The one object in a file of recordings, under another name."""
    text = (RECORDED / file).read_text().replace('"demo"', f'"{name}"')
    (manifest,) = json.loads(text)
    found: Manifest = manifest
    return found


def test_a_project_and_its_namespace_are_as_recorded(kube: Kube, project: Manifest, name: str) -> None:
    assert without_times_and_ids(project) == without_times_and_ids(recorded("projects.json", name))
    namespace = kube.get(namespace_ref(name))
    assert without_times_and_ids(namespace) == without_times_and_ids(recorded("namespace.json", name))
    (owner,) = namespace["metadata"]["ownerReferences"]
    assert owner["uid"] == project["metadata"]["uid"]


def test_a_config_is_as_recorded(kube: Kube, project: Manifest, name: str) -> None:
    wanted = recorded("projectconfigs.json", name)
    config = kube.create({key: wanted[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    config = eventually(lambda: kube.get(Ref.of(config)), is_ready)
    assert without_times_and_ids(config) == without_times_and_ids(wanted)

    kube.patch(Ref.of(config), {"metadata": {"annotations": {"kargo.akuity.io/refresh": "now"}}})
    eventually(lambda: kube.get(Ref.of(config)), lambda seen: seen["status"].get("lastHandledRefresh") == "now")
    assert project["metadata"]["name"] == name


def test_a_labelled_namespace_is_adopted(kube: Kube, name: str) -> None:
    metadata = {"name": name, "labels": {"kargo.akuity.io/project": "true", "own": "label"}}
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    created = create_project(kube, name)
    eventually(lambda: kube.get(project_ref(name)), is_ready)
    adopted = kube.get(namespace_ref(name))["metadata"]
    assert adopted["labels"]["own"] == "label"
    assert adopted["finalizers"] == [FINALIZER]
    assert [owner["uid"] for owner in adopted["ownerReferences"]] == [created["metadata"]["uid"]]


def test_a_namespace_of_something_else_stalls_the_project_until_it_is_labelled(kube: Kube, name: str) -> None:
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    create_project(kube, name)
    stalled = eventually(lambda: kube.get(project_ref(name)), lambda seen: "Stalled" in conditions(seen))
    text = (
        f'Namespace "{name}" already exists but is not labeled as a Project namespace '
        'using label "kargo.akuity.io/project"'
    )
    assert conditions(stalled) == {
        "Ready": (
            "False",
            "EnsuringNamespaceFailed",
            f"Failed to ensure existence of project namespace: {text}",
        ),
        "Reconciling": ("True", "Syncing", "Ensuring project namespace and permissions"),
        "Stalled": ("True", "ExistingNamespaceMissingLabel", text),
    }
    kube.patch(namespace_ref(name), {"metadata": {"labels": {"kargo.akuity.io/project": "true"}}})
    ready = eventually(lambda: kube.get(project_ref(name)), is_ready)
    assert list(conditions(ready)) == ["Ready"]


def test_stages_and_warehouses_are_counted(kube: Kube, project: Manifest, name: str) -> None:
    def create(kind: str, of: str, spec: Manifest) -> Ref:
        metadata = {"name": of, "namespace": name}
        return Ref.of(kube.create({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}))

    origin = {"origin": {"kind": "Warehouse", "name": "w"}, "sources": {"direct": True}}
    template = {"spec": {"steps": [{"uses": "compose-output"}]}}
    create("Warehouse", "w", {"subscriptions": [{"image": {"repoURL": "registry.local/a"}}]})
    create("Stage", "flow", {"requestedFreight": [origin]})
    create("Stage", "prod", {"requestedFreight": [origin], "promotionTemplate": template})
    dev = create("Stage", "dev", {"requestedFreight": [origin], "promotionTemplate": template})
    kube.patch(dev, {"status": {"health": {"status": "Healthy"}}}, subresource="status")

    counted = {
        "stages": {"count": 2, "health": {"healthy": 1}},
        "warehouses": {"count": 1, "health": {"healthy": 0}},
    }
    eventually(lambda: kube.get(project_ref(name))["status"]["stats"], lambda stats: stats == counted)
    kube.delete(dev)
    counted["stages"] = {"count": 1, "health": {"healthy": 0}}
    eventually(lambda: kube.get(project_ref(name))["status"]["stats"], lambda stats: stats == counted)
    assert project["status"]["stats"]["stages"] == {"count": 0, "health": {"healthy": 0}}


def test_a_deleted_project_lets_its_namespace_go(kube: Kube, project: Manifest, name: str) -> None:
    kube.delete(Ref.of(project))
    eventually(lambda: kube.find(project_ref(name)), is_gone)
    left = kube.get(namespace_ref(name))["metadata"]
    assert "finalizers" not in left
    assert [owner["kind"] for owner in left["ownerReferences"]] == ["Project"]  # the garbage collector's order


@pytest.mark.parametrize("kind", ["Project", "Namespace"])
def test_a_namespace_may_be_kept(kube: Kube, project: Manifest, name: str, kind: str) -> None:
    asked = Ref.of(project) if kind == "Project" else namespace_ref(name)
    kube.patch(asked, {"metadata": {"annotations": {"kargo.akuity.io/keep-namespace": "true"}}})
    kube.delete(Ref.of(project))
    eventually(lambda: kube.find(project_ref(name)), is_gone)
    kept = kube.get(namespace_ref(name))["metadata"]
    assert "ownerReferences" not in kept
    assert "finalizers" not in kept


def test_a_deleted_namespace_takes_its_project_along(kube: Kube, project: Manifest, name: str) -> None:
    kube.delete(namespace_ref(name))
    eventually(lambda: kube.find(project_ref(name)), is_gone)
    assert "finalizers" not in kube.get(namespace_ref(name))["metadata"]
    assert project["metadata"]["name"] == name


def test_other_namespaces_are_left_alone(kube: Kube, name: str) -> None:
    metadata = {"name": name, "finalizers": [FINALIZER]}
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    kube.delete(namespace_ref(name))
    probe = f"{name}-probe"
    create_project(kube, probe)
    eventually(lambda: kube.get(project_ref(probe)), is_ready)
    assert kube.get(namespace_ref(name))["metadata"]["finalizers"] == [FINALIZER]
