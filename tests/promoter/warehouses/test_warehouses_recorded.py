"""The 15 recorded Warehouses of Kargo 1.8.4, over a registry and a Git repository with the same content."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.warehouses.naming import freight_name
from tests.promoter.warehouses.conftest import Project
from tests.promoter.warehouses.git_repository import GitRepository
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

RECORDINGS = Path(__file__).parents[1] / "recordings"
RECORDED: list[Manifest] = json.loads((RECORDINGS / "warehouses-by-strategy.json").read_text())
REGISTRY, GIT = "10.231.0.2:5000", "http://10.231.0.2:3080/git"
DIGESTS = {
    "0.9.0": "sha256:10a2c46341eee00acaa9220068c2e88ae2d83d1f6f28af96538c0d5fdb3c241a",
    "1.0.0": "sha256:2a9734af999c89087e3de8d966ccc3f87f2b8226d55e78e1490b614126c44004",
    "1.0.1": "sha256:a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47",
    "1.1.0": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
COMMIT = "acea539cca3e3bd6dbc554c6aa665fd5649e1b42"


@pytest.fixture(scope="module")
def spelling(registry: RegistryServer, git_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """How addresses, digests and ids of this run were in the recording."""
    repository = GitRepository(git_server.root, "demo", tmp_path_factory.mktemp("demo") / "tree")
    commit = repository.commit("init", at="2026-11-23T11:55:14Z")
    digests = {registry.push("product-api", tag): digest for tag, digest in DIGESTS.items()}
    return {registry.host: REGISTRY, git_server.url: GIT, commit: COMMIT, **digests}


def translated(value: Any, spelling: Mapping[str, str]) -> Any:
    """A JSON value with other spellings in all of its strings."""
    text = json.dumps(value)
    for ours, theirs in spelling.items():
        text = text.replace(ours, theirs)
    return json.loads(text)


def normalized(value: Any) -> Any:
    """Without what differs from run to run: times, transition times, the directory of a clone."""
    if isinstance(value, dict):
        return {
            key: "<time>" if key == "discoveredAt" else normalized(entry)
            for key, entry in value.items()
            if key != "lastTransitionTime"
        }
    if isinstance(value, list):
        return [normalized(entry) for entry in value]
    return re.sub(r"/[\w/.-]*/repo-\w+", "<clone>", value) if isinstance(value, str) else value


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["warehouse"]))
def test_a_recorded_warehouse(
    controller: Kube, namespace: str, spelling: Mapping[str, str], recorded: Manifest
) -> None:
    project, name = Project(controller, namespace), recorded["warehouse"]
    backwards = {theirs: ours for ours, theirs in spelling.items()}
    project.warehouse(name, **translated(without_defaults(recorded["spec"]), backwards))
    reason = next(entry["reason"] for entry in recorded["status"]["conditions"] if entry["type"] == "Ready")
    status = project.until_ready(name, reason)
    assert translated(project.kube.get(project.ref(name))["spec"], spelling) == recorded["spec"]

    freight = project.freight(name)
    names = {made["metadata"]["name"]: one["name"] for made, one in zip(freight, recorded["freight"], strict=True)}
    assert normalized(translated(status, {**spelling, **names})) == normalized(recorded["status"])
    for made, one in zip(freight, recorded["freight"], strict=True):
        assert made["metadata"]["name"] == freight_name(made)
        assert made["metadata"]["labels"] == {"kargo.akuity.io/alias": made["alias"]}
        assert re.fullmatch(r"[a-z]+-[a-z]+", made["alias"])
        artifacts = {key: made[key] for key in ("origin", "commits", "images") if key in made}
        assert translated(artifacts, spelling) == {key: one[key] for key in artifacts}
        assert made["metadata"].get("ownerReferences", []) == one["ownerReferences"]
        assert "status" not in made


def without_defaults(spec: Manifest) -> Manifest:
    """A recorded spec as it was written, before the API server filled it up."""
    defaults = {"strictSemvers": True, "discoveryLimit": 20, "imageSelectionStrategy": "SemVer"}
    defaults |= {"commitSelectionStrategy": "NewestFromBranch"}
    written = []
    for entry in spec["subscriptions"]:
        kind, fields = next(iter(entry.items()))
        written.append({kind: {key: value for key, value in fields.items() if defaults.get(key) != value}})
    policy = {} if spec["freightCreationPolicy"] == "Automatic" else {"freightCreationPolicy": "Manual"}
    return {"subscriptions": written, **policy}
