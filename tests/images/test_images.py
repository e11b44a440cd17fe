from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import Recipe
from gitops_e2e.images.images import ImageBuildFailed, UnknownImage
from gitops_e2e.toolchain import Toolchain

REFERENCE = "org.opencontainers.image.ref.name"


Manifest = Callable[[Path], dict[str, Any]]


def test_the_tag_of_a_go_program_is_the_version_that_is_pinned() -> None:
    nowhere = Cache(Path("/nonexistent"))
    images = Images(nowhere, Toolchain(nowhere))
    assert images.reference("argocd") == "gitops-e2e.local/argocd:v3.2.11"
    assert images.reference("cert-manager-webhook") == "gitops-e2e.local/cert-manager-webhook:v1.11.5"
    assert images.reference("product-api:0.9.0") == "gitops-e2e.local/product-api:0.9.0"


def test_the_tag_of_a_debian_program_is_the_version_in_its_base(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(packages: Sequence[str], folder: Path) -> None:
        assert "redis-server" in packages
        (folder / "packages").write_text("redis-server 5:8.0.2-3+deb13u3\n")

    monkeypatch.setattr("gitops_e2e.images.bases._make", unpack)
    assert Images(cache, Toolchain(cache)).reference("redis") == "gitops-e2e.local/redis:8.0.2"


@pytest.mark.parametrize("name", ["product-api", "product-api:2.0.0", "argo-cd"])
def test_an_unknown_image_is_answered_with_the_known_ones(name: str) -> None:
    nowhere = Cache(Path("/nonexistent"))
    with pytest.raises(
        UnknownImage, match=rf"no image {re.escape(name)}\n.*use one of: .*argocd, .*product-api:0\.9\.0"
    ):
        Images(nowhere, Toolchain(nowhere)).archive(name)


def test_a_source_that_is_gone_is_named_before_anything_is_built(images: Images, recipe: Recipe) -> None:
    (recipe.folder / "Containerfile").unlink()
    recipe.folder.joinpath("greeting").unlink()
    recipe.folder.rmdir()
    with pytest.raises(ImageBuildFailed, match=rf"greeting:1\.0 cannot be built, as there is no {recipe.folder}"):
        images.archive("greeting:1.0")


@pytest.mark.node
def test_an_image_is_built_once_and_carries_its_name(images: Images, manifest_in: Manifest) -> None:
    archive = images.archive("greeting:1.0")
    built = archive.stat().st_mtime_ns
    assert manifest_in(archive)["annotations"] == {REFERENCE: "gitops-e2e.local/greeting:1.0"}
    assert images.archive("greeting:1.0").stat().st_mtime_ns == built
    assert [entry.name for entry in archive.parent.iterdir()] == [archive.name]


@pytest.mark.node
def test_another_source_is_another_image(images: Images, recipe: Recipe, manifest_in: Manifest) -> None:
    before = images.archive("greeting:1.0")
    (recipe.folder / "greeting").write_text("good day\n")
    after = images.archive("greeting:1.0")
    assert manifest_in(before)["digest"] != manifest_in(after)["digest"]


@pytest.mark.node
def test_the_same_input_gives_the_same_digest(
    tmp_path: Path, images: Images, recipe: Recipe, manifest_in: Manifest
) -> None:
    elsewhere = Cache(tmp_path / "another cache")
    again = Images(elsewhere, Toolchain(elsewhere), groups=((recipe,),))
    assert manifest_in(images.archive("greeting:1.0"))["digest"] == manifest_in(again.archive("greeting:1.0"))["digest"]


@pytest.mark.node
@pytest.mark.parametrize(
    ("containerfile", "complaint"),
    [
        ("FROM scratch\nCOPIED greeting /\n", "Unknown instruction"),
        ("FROM scratch\nCOPY farewell /\n", "no such file or directory"),
        ("FROM docker.io/library/alpine\n", "image not known"),
    ],
)
def test_a_broken_recipe_is_shown_with_what_is_wrong_and_leaves_nothing(
    images: Images, recipe: Recipe, containerfile: str, complaint: str
) -> None:
    path = recipe.folder / "Containerfile"
    path.write_text(containerfile)
    with pytest.raises(ImageBuildFailed, match=rf"cannot be built from {path}\n[\s\S]*{complaint}"):
        images.archive("greeting:1.0")
    assert list((images.cache.root / "images").iterdir()) == []
