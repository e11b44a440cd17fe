"""The 15 recorded Warehouses of Kargo 1.8.4, over a registry and a Git repository with the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.warehouses.naming import freight_name
from tests.promoter.conformance import RECORDINGS, Conformance, Different, behaviour, without
from tests.promoter.warehouses.conftest import Project
from tests.promoter.warehouses.git_repository import GitRepository
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

RECORDED: list[Manifest] = json.loads((RECORDINGS / "warehouses-by-strategy.json").read_text())
REGISTRY, GIT = "10.231.0.2:5000", "http://10.231.0.2:3080/git"
DIGESTS = {
    "0.9.0": "sha256:10a2c46341eee00acaa9220068c2e88ae2d83d1f6f28af96538c0d5fdb3c241a",
    "1.0.0": "sha256:2a9734af999c89087e3de8d966ccc3f87f2b8226d55e78e1490b614126c44004",
    "1.0.1": "sha256:a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47",
    "1.1.0": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
COMMIT = "acea539cca3e3bd6dbc554c6aa665fd5649e1b42"
_FILTER = behaviour("tags that are wanted, and that are not", "2.4", "Tag filter for")
_SEMVER = behaviour("by version", "2.4", "| SemVer |")
BEHAVIOURS = {
    "allow-tags": _FILTER,
    "digest": behaviour("by digest of one tag", "2.4", "| Digest |"),
    "git-missing": behaviour("a repository that is not there", "2.2", "| discovery error |"),
    "git-newest": behaviour("the newest commit of a branch", "2.5", "Git discovery: each discovery clones"),
    "git-paths": behaviour("no commit at the paths that are wanted", "2.2", "| a git sub has 0 commits |"),
    "ignore-tags": _FILTER,
    "lexical": behaviour("by spelling", "2.4", "| Lexical |"),
    "limit-one": behaviour("no more than the limit", "1.6", "| image: `discoveryLimit` |"),
    "manual": behaviour("freight is made by hand only", "2.2", "Policy Manual"),
    "newest-build": behaviour("by time of creation", "2.4", "| NewestBuild |"),
    "platform": behaviour("no image for the platform", "2.4", "`platform` unset"),
    "semver-default": _SEMVER,
    "semver-tilde": behaviour("by version within a constraint", "2.4", "Constraint grammar"),
    "strict": _SEMVER,
    "two": behaviour("freight of two subscriptions", "2.5", "Only the newest item of each"),
}


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


def marked(recorded: Manifest) -> Any:
    name = recorded["warehouse"]
    return pytest.param(recorded, id=name, marks=BEHAVIOURS[name])


@pytest.mark.parametrize("recorded", [marked(one) for one in RECORDED])
def test_a_recorded_warehouse(
    controller: Kube, namespace: str, spelling: Mapping[str, str], recorded: Manifest, conformance: Conformance
) -> None:
    project, name = Project(controller, namespace), recorded["warehouse"]
    backwards = {theirs: ours for ours, theirs in spelling.items()}
    project.warehouse(name, **translated(without_defaults(recorded["spec"]), backwards))
    reason = next(entry["reason"] for entry in recorded["status"]["conditions"] if entry["type"] == "Ready")
    status = project.until_ready(name, reason)
    freight = project.freight(name)
    assert [made["metadata"]["name"] for made in freight] == list(map(freight_name, freight))
    names = {made["metadata"]["name"]: one["name"] for made, one in zip(freight, recorded["freight"], strict=True)}
    seen = {
        "warehouse": name,
        "spec": project.kube.get(project.ref(name))["spec"],
        "status": without(status, "lastTransitionTime"),
        "freight": [{"name": made["metadata"]["name"], **as_recorded(made)} for made in freight],
    }
    conformance.same(seen, recorded, {**spelling, **names})


def as_recorded(freight: Manifest) -> Manifest:
    metadata = {
        "labels": freight["metadata"]["labels"],
        "ownerReferences": freight["metadata"].get("ownerReferences", []),
    }
    return {
        **metadata,
        **{key: freight[key] for key in ("alias", "origin", "commits", "images", "status") if key in freight},
    }


@pytest.mark.parametrize(
    "change", [("Successfully", "Nearly"), ('"tag": "1.0.1"', '"tag": "1.0.2"'), ("labels", "marks")]
)
def test_one_changed_field_is_seen(
    controller: Kube, namespace: str, spelling: Mapping[str, str], change: tuple[str, str]
) -> None:
    recorded = next(one for one in RECORDED if one["warehouse"] == "semver-tilde")
    changed = json.loads(json.dumps(recorded).replace(*change))
    with pytest.raises(Different):
        test_a_recorded_warehouse(controller, namespace, spelling, changed, Conformance())


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
