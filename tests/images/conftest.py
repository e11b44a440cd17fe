"""Images from scratch, which take a second to build, and a containerd root of them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import Recipe, Release
from gitops_e2e.toolchain import Toolchain


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """An image of one file, of which `greeting` is the content."""
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "Containerfile").write_text("FROM scratch\nCOPY greeting /\n")
    (folder / "greeting").write_text("hello\n")
    return Recipe("greeting", Release("1.0"), packages=(), elsewhere=folder)


@pytest.fixture
def images(cache: Cache, recipe: Recipe) -> Images:
    return Images(cache, Toolchain(cache), groups=((recipe,),))


@pytest.fixture
def manifest_in() -> Callable[[Path], dict[str, Any]]:
    """How the index of an OCI archive describes the one image in it."""

    def read(archive: Path) -> dict[str, Any]:
        with tarfile.open(archive) as tar:
            member = tar.extractfile("index.json")
            assert member
            (manifest,) = json.load(member)["manifests"]
        assert isinstance(manifest, dict)
        return manifest

    return read
