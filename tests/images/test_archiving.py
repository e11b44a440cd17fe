"""Images that are not built: from archives in both formats, and pulled from a registry."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.bundle import Bundle, BundleError, ImageArchive
from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.images import Images, containerd
from gitops_e2e.images.archiving import NotPulled, archived, pulled
from gitops_e2e.images.catalogue import Recipe
from gitops_e2e.images.remote import RemoteRegistry
from tests.archives import SmallImage, write_tar
from tests.local_registry import running_registry

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


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running_registry(tmp_path / "registry", tls=True) as address:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "registry/ca.crt"))
        yield address


def test_an_image_is_pulled_once_and_carries_its_name(
    cache: Cache, tmp_path: Path, registry: str, manifest_in: Callable[[Path], dict[str, Any]]
) -> None:
    reference = f"{registry}/akuity/kargo:v1.8.4"
    RemoteRegistry(registry).push(given(tmp_path / "a.tar", "layout", reference).path, "akuity/kargo:v1.8.4")
    archive = pulled(cache, reference)
    assert manifest_in(archive)["annotations"] == {ANNOTATION: reference}
    made = archive.stat().st_mtime_ns
    assert pulled(cache, reference).stat().st_mtime_ns == made


def test_a_pulled_image_of_another_version_than_its_tag_is_refused(cache: Cache, tmp_path: Path, registry: str) -> None:
    reference = f"{registry}/akuity/kargo:v1.8.4"
    image = SmallImage({"org.opencontainers.image.version": "1.8.3"})
    RemoteRegistry(registry).push(write_tar(tmp_path / "a.tar", image.layout(reference)), "akuity/kargo:v1.8.4")
    with pytest.raises(BundleError, match=r"its tag is v1\.8\.4, but the image's label"):
        pulled(cache, reference)
    assert list((cache.root / "pulled").iterdir()) == []


def test_an_image_that_the_registry_does_not_have_is_told(cache: Cache, registry: str) -> None:
    with pytest.raises(NotPulled, match="manifest unknown"):
        pulled(cache, f"{registry}/akuity/kargo:v1.8.4")


def test_a_registry_that_is_out_of_reach_is_told_in_one_message_and_leaves_nothing(cache: Cache) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotPulled) as refused:
        pulled(cache, f"127.0.0.1:{port}/akuity/kargo:v1.8.4")
    assert refused.value.what.startswith(f"image 127.0.0.1:{port}/akuity/kargo:v1.8.4 cannot be pulled: ")
    assert "connection refused" in refused.value.what
    assert "give it in a bundle" in str(refused.value.remedy)
    assert list((cache.root / "pulled").iterdir()) == []
