"""What is removed of pipelines on a cluster that is used again, without a cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import cast

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref, Resource
from gitops_e2e.pipeline import removal
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from gitops_e2e.pipeline.node_ports import NodePorts
from gitops_e2e.pipeline.removal import DEMO_RECORD, sweep_abandoned
from gitops_e2e.pipeline.repository import RepositoryHost

_KEPT: Manifest = {"kind": DEMO_RECORD.kind, "metadata": {"name": DEMO_RECORD.name}}


@dataclass
class Claims:
    """An API server that has nothing but ConfigMaps."""

    config_maps: list[Manifest] = field(default_factory=list)

    def create(self, manifest: Manifest) -> Manifest:
        self.config_maps.append(manifest)
        return manifest

    def find(self, ref: Ref) -> Manifest | None:
        return next((each for each in self.config_maps if each["metadata"]["name"] == ref.name), None)

    def list(self, resource: Resource, _: str = "", labels: str = "") -> list[Manifest]:
        key, _, value = labels.partition("=")
        claims = [each for each in self.config_maps if key in each["metadata"].get("labels", {})]
        fitting = [each for each in claims if value in ("", each["metadata"]["labels"][key])]
        return fitting if resource.kind == "ConfigMap" else []

    def let_maker_end(self) -> None:
        """That of all claims there are."""
        for each in self.config_maps:
            annotations = each["metadata"]["annotations"]
            for name, maker in annotations.items():
                annotations[name] = json.dumps({**json.loads(maker), "boot": "an earlier one"})


class Repositories:
    """A Git server that has none."""

    def delete(self, name: str) -> None: ...


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ids: list[str] = []

    def remove(_kube: Kube, _repositories: RepositoryHost, names: PipelineNames) -> None:
        ids.append(names.id)

    monkeypatch.setattr(removal, "remove", remove)
    return ids


def _swept(claims: Claims) -> list[str]:
    return sweep_abandoned(cast(Kube, claims), cast(RepositoryHost, Repositories()))


def test_what_a_killed_run_left_goes_and_what_another_makes_stays(removed: list[str]) -> None:
    claims = Claims()
    for each in (DEMO, "p1"):
        NodePorts(cast(Kube, claims)).claim(each)
    claims.let_maker_end()
    NodePorts(cast(Kube, claims)).claim("p2")

    assert _swept(claims) == removed == [DEMO, "p1"]


def test_the_demo_of_up_stays(removed: list[str]) -> None:
    claims = Claims()
    for each in (DEMO, "p1"):
        NodePorts(cast(Kube, claims)).claim(each)
    claims.let_maker_end()
    claims.create(_KEPT)

    assert _swept(claims) == removed == ["p1"]
