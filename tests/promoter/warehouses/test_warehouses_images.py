"""Image subscriptions over a real registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.warehouses.images import ImageSearch, ImagesNotFound
from tests.promoter.warehouses.registry_server import (
    PASSWORD,
    USER,
    RegistryServer,
    index_of,
    password_settings,
)

pytestmark = pytest.mark.node

DEFAULTS = {"imageSelectionStrategy": "SemVer", "strictSemvers": True, "discoveryLimit": 20}


@pytest.fixture
def search(kube: Kube) -> ImageSearch:
    return ImageSearch(Logins(kube, "image"))


def find(search: ImageSearch, url: str, *, project: str = "none", **fields: Any) -> Manifest:
    return search.find(project, {**DEFAULTS, "repoURL": url, **fields})


def tags(found: Manifest) -> list[str]:
    return [reference["tag"] for reference in found.get("references", [])]


@pytest.fixture(scope="module")
def history(registry: RegistryServer) -> str:
    """A repository in which versions, names and times of making are sorted differently."""
    for tag, created in {
        "1.0.0": "2024-01-04T00:00:00Z",
        "1.9.0": "2024-01-02T00:00:00Z",
        "1.10.0": "2024-01-01T00:00:00Z",
        "2.0.0-rc.1": "2024-01-03T00:00:00Z",
        "latest": "2024-01-05T00:00:00Z",
        "undated": "",
        "v0.1.0": "2024-01-01T00:00:00Z",
    }.items():
        registry.push("history", tag, created=created)
    return f"{registry.host}/history"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ["2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0", "v0.1.0"]),
        ({"constraint": "^1.0.0"}, ["1.10.0", "1.9.0", "1.0.0"]),
        ({"semverConstraint": "~1.9"}, ["1.9.0"]),
        ({"constraint": "^1.0.0", "discoveryLimit": 2}, ["1.10.0", "1.9.0"]),
        ({"constraint": "^3"}, []),
        ({"allowTags": "^1"}, ["1.10.0", "1.9.0", "1.0.0"]),
        (
            {"imageSelectionStrategy": "Lexical"},
            ["v0.1.0", "undated", "latest", "2.0.0-rc.1", "1.9.0", "1.10.0", "1.0.0"],
        ),
        ({"imageSelectionStrategy": "Lexical", "ignoreTags": ["v0.1.0"], "discoveryLimit": 1}, ["undated"]),
        (
            {"imageSelectionStrategy": "NewestBuild"},
            ["latest", "1.0.0", "2.0.0-rc.1", "1.9.0", "v0.1.0", "1.10.0", "undated"],
        ),
        ({"imageSelectionStrategy": "NewestBuild", "allowTags": "^1", "discoveryLimit": 2}, ["1.0.0", "1.9.0"]),
        ({"imageSelectionStrategy": "Digest", "constraint": "latest"}, ["latest"]),
        ({"imageSelectionStrategy": "Digest", "semverConstraint": "latest", "ignoreTags": ["latest"]}, ["latest"]),
        ({"imageSelectionStrategy": "Digest", "constraint": "away"}, []),
    ],
)
def test_a_strategy_says_what_is_new(search: ImageSearch, history: str, fields: Manifest, found: list[str]) -> None:
    assert tags(find(search, history, **fields)) == found


def test_what_is_told_of_an_image(search: ImageSearch, registry: RegistryServer) -> None:
    digest = registry.push("told", "1.0.0", created="2024-01-04T00:00:00.9+01:00", annotations={"a": "b"})
    url = f"{registry.host}/told"
    assert find(search, url, platform="linux/amd64") == {
        "repoURL": url,
        "platform": "linux/amd64",
        "references": [
            {"tag": "1.0.0", "digest": digest, "annotations": {"a": "b"}, "createdAt": "2024-01-03T23:00:00Z"}
        ],
    }


def test_images_for_other_platforms_do_not_count(search: ImageSearch, registry: RegistryServer) -> None:
    for minor in range(6):
        registry.push("mixed", f"1.{minor}.0", platform="linux/arm64" if minor % 2 else "linux/amd64")
    url = f"{registry.host}/mixed"
    limited: Manifest = {"discoveryLimit": 2}
    assert tags(find(search, url, platform="linux/amd64", **limited)) == ["1.4.0", "1.2.0"]
    assert tags(find(search, url, platform="linux/arm64", **limited)) == ["1.5.0", "1.3.0"]
    assert tags(find(search, url, **limited)) == ["1.5.0", "1.4.0"]
    assert find(search, url, platform="linux/s390x") == {"repoURL": url, "platform": "linux/s390x"}


def test_a_tag_that_moves_is_seen(search: ImageSearch, registry: RegistryServer) -> None:
    fields = {"imageSelectionStrategy": "Digest", "constraint": "latest"}
    for number in range(2):
        digest = registry.push("moving", "latest", labels={"number": str(number)})
        assert find(search, f"{registry.host}/moving", **fields)["references"][0]["digest"] == digest


def test_one_image_that_cannot_be_read_fails_the_search(search: ImageSearch, registry: RegistryServer) -> None:
    digest = registry.push("broken", "1.0.0")
    registry.put("broken", "1.1.0", index_of([(digest, "unknown/unknown")]))
    url = f"{registry.host}/broken"
    with pytest.raises(ImagesNotFound) as error:
        find(search, url)
    assert error.value.what == (
        f'error discovering newest applicable images "{url}": error getting image with tag "1.1.0": '
        "empty V2 manifest list or OCI index is not supported"
    )
    assert tags(find(search, url, constraint="1.0.0")) == ["1.0.0"]


def test_a_repository_that_is_not_there(search: ImageSearch, registry: RegistryServer) -> None:
    url = f"{registry.host}/nowhere"
    with pytest.raises(ImagesNotFound) as error:
        find(search, url)
    assert error.value.what == (
        f'error discovering newest applicable images "{url}": error listing tags: '
        f"error listing tags for repo URL {url}: GET http://{registry.host}/v2/nowhere/tags/list?n=1000: "
        "NAME_UNKNOWN: repository name not known to registry; map[name:nowhere]"
    )


def test_a_private_registry_is_entered_by_the_project_only(
    kube: Kube, namespace: str, search: ImageSearch, tmp_path: Path
) -> None:
    registry = RegistryServer(tmp_path, **password_settings(tmp_path))
    registry.start()
    try:
        url = f"{registry.host}/private"
        kube.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": "registry",
                    "namespace": namespace,
                    "labels": {"kargo.akuity.io/cred-type": "image"},
                },
                "stringData": {"repoURL": url, "username": USER, "password": PASSWORD},
            }
        )
        with pytest.raises(ImagesNotFound, match="NAME_UNKNOWN"):
            find(search, url, project=namespace)
        with pytest.raises(ImagesNotFound, match="UNAUTHORIZED: authentication required"):
            find(search, url)
        with pytest.raises(ImagesNotFound, match="UNAUTHORIZED: authentication required"):
            find(search, f"{url}-2", project=namespace)
    finally:
        registry.stop()


def test_a_secret_that_cannot_be_used_is_told(kube: Kube, namespace: str, search: ImageSearch) -> None:
    labels = {"kargo.akuity.io/cred-type": "image"}
    metadata = {"name": "ecr", "namespace": namespace, "labels": labels}
    data = {"repoURL": "example.test/a", "awsAccessKeyID": "x"}
    kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})
    with pytest.raises(ImagesNotFound) as error:
        find(search, "example.test/a", project=namespace)
    assert error.value.what == (
        'error obtaining credentials for image repo "example.test/a": '
        "not supported by the embedded engine: credentials for Amazon ECR"
    )
