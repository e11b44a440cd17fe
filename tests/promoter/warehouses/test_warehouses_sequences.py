"""The recorded sequences of states: a Warehouse refreshed twice, one whose registry is away, one that finds nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import FREIGHTS, WAREHOUSES
from tests.control_plane import free_port
from tests.promoter.warehouses.conftest import Project, until
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

SEQUENCES = Path(__file__).parents[1] / "recordings/sequences"
REGISTRY = "10.231.0.2:5000"
DIGESTS = {
    "1.0.0": "sha256:2a9734af999c89087e3de8d966ccc3f87f2b8226d55e78e1490b614126c44004",
    "1.0.1": "sha256:a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47",
    "1.1.0": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}


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


def normalized(value: Any, spelling: Mapping[str, str]) -> Any:
    """Without times and names of Freight, and with the recording's addresses and digests."""
    text = json.dumps(value)
    for ours, theirs in spelling.items():
        text = text.replace(ours, theirs)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)
    text = re.sub(r'"lastFreightID": "[0-9a-f]{40}"', '"lastFreightID": "<name>"', text)
    return json.loads(re.sub(r'"kargo.akuity.io/alias": "[a-z]+-[a-z]+"', '"kargo.akuity.io/alias": "<alias>"', text))


def of_recording(states: list[Manifest]) -> list[Manifest]:
    shown = [{key: state[key] for key in ("event", "metadata", "status")} for state in states]
    normal: list[Manifest] = normalized(shown, {})
    return normal


def test_a_warehouse_that_is_refreshed_twice(project: Project, registry: RegistryServer) -> None:
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

    created, begun, *rest = normalized(observer.states(WAREHOUSES, "demo"), spelling)
    expected = of_recording(recorded("warehouses", "demo"))[:7]
    assert rest == [{**expected[0], "event": "MODIFIED"}, *expected[1:]]
    new = of_recording(recorded("warehouses", "nomatch"))[:2]
    assert [created, begun] == new

    freight = project.freight("demo")
    assert [made["images"][0]["tag"] for made in freight] == ["1.0.0", "1.0.1", "1.1.0"]
    for made in freight:
        states = normalized(observer.states(FREIGHTS, made["metadata"]["name"]), spelling)
        assert states == of_recording(recorded("freights", "c4d3524b4a0843729e3e3802b41e681a4debce9e"))[:1]
    assert project.status("demo")["lastFreightID"] == freight[-1]["metadata"]["name"]


def test_a_warehouse_whose_registry_is_away(project: Project) -> None:
    host = f"127.0.0.1:{free_port()}"
    observer = Observer(project)
    project.warehouse("unreach", {"image": {"repoURL": f"{host}/product-api"}})
    expected = of_recording(recorded("warehouses", "unreach"))[:5]
    until("attempts", lambda: len(observer.states(WAREHOUSES, "unreach")) >= 5)
    states = normalized(observer.states(WAREHOUSES, "unreach"), {host: "10.231.0.2:5999"})
    assert states[:5] == expected
    project.kube.delete(project.ref("unreach"))


def test_a_warehouse_that_finds_nothing(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/product-api"
    registry.push(repository, "1.0.0")
    observer = Observer(project)
    project.warehouse("nomatch", {"image": {"repoURL": f"{registry.host}/{repository}", "constraint": "^9.0.0"}})
    project.until_ready("nomatch", "MissingImageReferences")
    spelling = {f"{registry.host}/{repository}": f"{REGISTRY}/product-api"}
    states = normalized(observer.states(WAREHOUSES, "nomatch"), spelling)
    assert states == of_recording(recorded("warehouses", "nomatch"))[:3]
    assert project.freight("nomatch") == []
