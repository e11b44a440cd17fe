"""Images that are not built: from archives in both formats, and pulled from a registry."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.bundle import Bundle, ImageArchive
from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.images import Images, containerd
from gitops_e2e.images.archiving import NotPulled, archived, pulled
from gitops_e2e.images.catalogue import Recipe
from tests.archives import SmallImage, write_tar

pytestmark = pytest.mark.node

ANNOTATION = "org.opencontainers.image.ref.name"
REFERENCE = "ghcr.io/akuity/kargo:v1.8.4"
FORMATS = ("layout", "saved")


def given(path: Path, form: str, reference: str, *, compressed: bool = False) -> ImageArchive:
    image = SmallImage()
    files = image.layout(reference) if form == "layout" else image.saved(reference)
    return ImageArchive.read(write_tar(path, files, compressed=compressed))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_given_archive_becomes_one_that_containerd_loads_under_its_full_name(
    cache: Cache,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    manifest_in: Callable[[Path], dict[str, Any]],
    form: str,
    compressed: bool,
) -> None:
    archive = archived(cache, given(tmp_path / "a.tar", form, REFERENCE, compressed=compressed))
    assert manifest_in(archive)["annotations"] == {ANNOTATION: REFERENCE}
    state = tmp_path_factory.mktemp("s") / "s"
    with containerd.running(tmp_path / "root", state) as address:
        containerd.load(address, archive)
        ctr = ("ctr", "--address", address, "--namespace", "k8s.io")
        assert REFERENCE in run([*ctr, "images", "ls", "-q"], timeout=30).stdout.splitlines()
    (greeting,) = (tmp_path / "root").glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/greeting")
    assert greeting.read_text() == "hello\n"


def test_a_given_archive_is_read_once(cache: Cache, tmp_path: Path) -> None:
    archive = given(tmp_path / "a.tar", "layout", REFERENCE)
    first = archived(cache, archive)
    archive.path.unlink()
    assert archived(cache, archive) == first


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_given_is_not_built(
    images: Images, recipe: Recipe, tmp_path: Path, manifest_in: Callable[[Path], dict[str, Any]], form: str
) -> None:
    (recipe.folder / "Containerfile").write_text("this cannot be built\n")
    archive = given(tmp_path / "a.tar", form, "gitops-e2e.local/greeting:1.0")
    bundled = replace(images, bundle=Bundle(tmp_path, (archive,)))
    assert manifest_in(bundled.archive("greeting:1.0"))["annotations"] == {ANNOTATION: archive.reference}
    assert list(bundled.golden_root().glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/greeting"))
    assert not (images.cache.root / "images").exists()


def test_a_registry_that_is_out_of_reach_is_told_in_one_message_and_leaves_nothing(cache: Cache) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotPulled) as refused:
        pulled(cache, f"127.0.0.1:{port}/akuity/kargo:v1.8.4")
    assert refused.value.what.startswith(f"image 127.0.0.1:{port}/akuity/kargo:v1.8.4 cannot be pulled: ")
    assert "connection refused" in refused.value.what
    assert "give it in a bundle" in str(refused.value.remedy)
    assert list((cache.root / "pulled").iterdir()) == []
