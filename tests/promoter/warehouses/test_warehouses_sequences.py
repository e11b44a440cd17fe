"""The recorded sequences of states: a Warehouse refreshed twice, one whose registry is away, one that finds nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import FREIGHTS, WAREHOUSES
from tests.control_plane import free_port
from tests.promoter.conformance import RECORDINGS, Conformance, behaviour
from tests.promoter.warehouses.conftest import Project, until
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

SEQUENCES = RECORDINGS / "sequences"
REGISTRY = "10.231.0.2:5000"
DIGESTS = {
    "1.0.0": "sha256:2a9734af999c89087e3de8d966ccc3f87f2b8226d55e78e1490b614126c44004",
    "1.0.1": "sha256:a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47",
    "1.1.0": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
FREIGHT = [
    "f49ff1e667d8618d16beebcf0298e6e5081a51e5",
    "c4d3524b4a0843729e3e3802b41e681a4debce9e",
    "c240bb48531da0ec4c6ec9271e5f43917f173aab",
]


def recorded(kind: str, name: str) -> list[Manifest]:
    """The states of an object in the order in which they were seen."""
    lines = (SEQUENCES / f"{kind}.jsonl").read_text().splitlines()
    return [state for state in map(json.loads, lines) if state["name"] == name]


class Observer:
    """Sees every state of the objects in a namespace from now on."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._versions = {
            resource: str(project.kube.collection(resource)["metadata"]["resourceVersion"])
            for resource in (WAREHOUSES, FREIGHTS)
        }

    def states(self, resource: Any, name: str) -> list[Manifest]:
        """What became of an object, in the form of the recording."""
        now = self._project.kube.collection(resource, self._project.name)["metadata"]["resourceVersion"]
        states = []
        watch = self._project.kube.watch(resource, self._versions[resource], namespace=self._project.name, seconds=5)
        with watch:
            for event in watch:
                manifest = event["object"]
                if manifest["metadata"].get("name") == name:
                    states.append({"event": event["type"], **_shown(manifest)})
                if int(manifest["metadata"]["resourceVersion"]) >= int(now):
                    break
        return states


def _shown(manifest: Manifest) -> Manifest:
    kept = {key: manifest["metadata"][key] for key in ("annotations", "labels") if key in manifest["metadata"]}
    return {"metadata": kept, "status": manifest.get("status")}


def of_recording(states: list[Manifest]) -> list[Manifest]:
    return [{key: state[key] for key in ("event", "metadata", "status")} for state in states]


@behaviour("states of a warehouse: new, and looked at again on request", "2.2", "discovery starts (patched at once)")
def test_a_warehouse_that_is_refreshed_twice(
    project: Project, registry: RegistryServer, conformance: Conformance
) -> None:
    repository = f"{project.name}/product-api"
    spelling = {f"{registry.host}/{repository}": f"{REGISTRY}/product-api"}
    observer = Observer(project)
    tokens = ["", "1795435190", "1795435277"]
    registry.push(repository, "0.9.0")
    for (tag, digest), token in zip(DIGESTS.items(), tokens, strict=True):
        spelling[registry.push(repository, tag)] = digest
        if token:
            project.refresh("demo", token)
        else:
            subscription = {"repoURL": f"{registry.host}/{repository}", "constraint": "^1.0.0"}
            project.warehouse("demo", {"image": subscription})
            project.until_ready("demo")

    freight = project.freight("demo")
    assert [made["images"][0]["tag"] for made in freight] == ["1.0.0", "1.0.1", "1.1.0"]
    names = [made["metadata"]["name"] for made in freight]
    assert project.status("demo")["lastFreightID"] == names[-1]
    spelling |= dict(zip(names, FREIGHT, strict=True))

    expected = of_recording(recorded("warehouses", "demo"))[:7]
    new = of_recording(recorded("warehouses", "nomatch"))[:2]  # the recorder came later for the other
    states = observer.states(WAREHOUSES, "demo")
    conformance.same(states, [*new, {**expected[0], "event": "MODIFIED"}, *expected[1:]], spelling)
    for name in names:
        states = observer.states(FREIGHTS, name)
        conformance.same(states, of_recording(recorded("freights", FREIGHT[1]))[:1], spelling)


@behaviour("states of a warehouse whose registry is away", "2.2", "| discovery error |")
def test_a_warehouse_whose_registry_is_away(project: Project, conformance: Conformance) -> None:
    host = f"127.0.0.1:{free_port()}"
    observer = Observer(project)
    project.warehouse("unreach", {"image": {"repoURL": f"{host}/product-api"}})
    expected = of_recording(recorded("warehouses", "unreach"))[:5]
    until("attempts", lambda: len(observer.states(WAREHOUSES, "unreach")) >= 5)
    conformance.same(observer.states(WAREHOUSES, "unreach")[:5], expected, {host: "10.231.0.2:5999"})
    project.kube.delete(project.ref("unreach"))


@behaviour("states of a warehouse that finds nothing", "2.2", "| an image sub has 0 refs |")
def test_a_warehouse_that_finds_nothing(project: Project, registry: RegistryServer, conformance: Conformance) -> None:
    repository = f"{project.name}/product-api"
    registry.push(repository, "1.0.0")
    observer = Observer(project)
    project.warehouse("nomatch", {"image": {"repoURL": f"{registry.host}/{repository}", "constraint": "^9.0.0"}})
    project.until_ready("nomatch", "MissingImageReferences")
    spelling = {f"{registry.host}/{repository}": f"{REGISTRY}/product-api"}
    states = observer.states(WAREHOUSES, "nomatch")
    conformance.same(states, of_recording(recorded("warehouses", "nomatch"))[:3], spelling)
    assert project.freight("nomatch") == []
