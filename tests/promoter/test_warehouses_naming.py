"""Freight names: the worked examples of the behaviour, and the names that Kargo 1.8.4 gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.warehouses.naming import freight_name

RECORDINGS = Path(__file__).parent / "recordings"
IMAGE = {"repoURL": "registry.example.com:5000/demo/web", "tag": "1.2.3", "digest": f"sha256:{'a' * 64}"}
COMMIT = {
    "repoURL": "https://git.example.com/demo/deploy.git",
    "id": "0123456789abcdef0123456789abcdef01234567",
    "branch": "main",
    "message": "Change",
}


def recorded_freight() -> list[Manifest]:
    files = [*sorted(RECORDINGS.glob("objects/**/freights.json"))]
    return [freight for file in files for freight in json.loads(file.read_text())]


def test_freight_of_one_image() -> None:
    freight = {"origin": {"kind": "Warehouse", "name": "web"}, "images": [IMAGE]}
    assert freight_name(freight) == "5cdabdc04f30a3575ab6d941054e925784d7a69a"


def test_freight_of_a_commit_an_image_and_a_chart() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    freight = {
        "origin": {"kind": "Warehouse", "name": "main"},
        "commits": [COMMIT],
        "images": [{"repoURL": "ghcr.io/demo/api", "tag": "v2.0.0", "digest": digest}],
        "charts": [{"repoURL": "oci://ghcr.io/demo/charts/api", "version": "1.4.0"}],
    }
    assert freight_name(freight) == "02f92e0daaa252cbe06d4e258e27b8b4d89aff6e"


@pytest.mark.parametrize("freight", recorded_freight(), ids=lambda freight: freight["alias"])
def test_recorded_names(freight: Manifest) -> None:
    assert freight_name(freight) == freight["metadata"]["name"]


def test_spellings_of_a_repository_give_the_same_name() -> None:
    def named(url: str) -> str:
        return freight_name({"origin": {"kind": "Warehouse", "name": "w"}, "commits": [{**COMMIT, "repoURL": url}]})

    assert named("https://git.example.com/demo/deploy") == named("https://user:word@Git.example.com/demo/deploy.git/")
    assert named("git@git.example.com:demo/deploy.git") == named("ssh://git@git.example.com/demo/deploy")
    assert named("https://git.example.com/demo/deploy") != named("https://git.example.com/demo/other")


def test_the_tag_of_a_commit_and_the_origin_count() -> None:
    base = {"origin": {"kind": "Warehouse", "name": "w"}, "commits": [COMMIT]}
    tagged = {**base, "commits": [{**COMMIT, "tag": "v1"}]}
    elsewhere = {**base, "origin": {"kind": "Warehouse", "name": "x"}}
    assert len({freight_name(base), freight_name(tagged), freight_name(elsewhere)}) == 3
    told_otherwise = {**base, "commits": [{**COMMIT, "message": "Another", "branch": "x"}]}
    assert freight_name(told_otherwise) == freight_name(base)
