"""Archives of images, in both formats: whole ones are known by name, tag and digest, all others are refused."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from gitops_e2e.bundle import BundleError, ImageArchive
from gitops_e2e.bundle.image_archives import ARCHITECTURE
from tests.archives import SmallImage, described, digest, encoded, write_tar

NAME = "ghcr.io/akuity/kargo"
REFERENCE = f"{NAME}:v1.8.4"
LABEL = "org.opencontainers.image.version"
FORMATS = ("layout", "saved")


def files_of(image: SmallImage, form: str, *names: str) -> dict[str, bytes]:
    return image.layout(*names) if form == "layout" else image.saved(*names)


def refusal(path: Path) -> str:
    with pytest.raises(BundleError) as refused:
        ImageArchive.read(path)
    assert refused.value.where == str(path)
    assert refused.value.remedy
    return refused.value.what


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_whole_archive_is_known_by_name_and_tag(tmp_path: Path, form: str, compressed: bool) -> None:
    path = write_tar(tmp_path / "a.tar", files_of(SmallImage(), form, REFERENCE), compressed=compressed)
    archive = ImageArchive.read(path)
    assert (archive.name, archive.tag, archive.reference) == (NAME, "v1.8.4", REFERENCE)
    assert archive.format == {"layout": "oci-archive", "saved": "docker-archive"}[form]


def test_its_digest_is_that_of_what_describes_the_image(tmp_path: Path) -> None:
    image = SmallImage()
    layout = ImageArchive.read(write_tar(tmp_path / "a.tar", image.layout(REFERENCE)))
    saved = ImageArchive.read(write_tar(tmp_path / "b.tar", image.saved(REFERENCE)))
    assert layout.digest == digest(image.manifest)
    assert saved.digest == digest(image.config)


def test_the_name_that_containerd_writes_goes_before_a_bare_tag(tmp_path: Path) -> None:
    files = SmallImage().layout("v1.8.4")
    index = json.loads(files["index.json"])
    index["manifests"][0]["annotations"]["io.containerd.image.name"] = REFERENCE
    path = write_tar(tmp_path / "a.tar", {**files, "index.json": encoded(index)})
    assert ImageArchive.read(path).reference == REFERENCE


def test_a_registry_may_have_a_port(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", SmallImage().saved("10.0.0.1:5000/kargo:v1"))
    assert (ImageArchive.read(path).name, ImageArchive.read(path).tag) == ("10.0.0.1:5000/kargo", "v1")


def test_of_several_platforms_this_machines_is_taken(tmp_path: Path) -> None:
    image = SmallImage()
    platforms = encoded(
        {
            "manifests": [
                {**described("", b"not here"), "platform": {"architecture": "other"}},
                {**described("", image.manifest), "platform": {"architecture": ARCHITECTURE}},
            ]
        }
    )
    files = image.layout(REFERENCE)
    index = json.loads(files["index.json"])
    index["manifests"][0]["digest"] = digest(platforms)
    files |= {f"blobs/sha256/{digest(platforms)[7:]}": platforms, "index.json": encoded(index)}
    assert ImageArchive.read(write_tar(tmp_path / "a.tar", files)).digest == digest(platforms)


def test_a_layer_may_be_a_link_to_another(tmp_path: Path) -> None:
    image = SmallImage()
    files = image.saved(REFERENCE)
    layer = f"{digest(image.layer)[7:]}.tar"
    described_image = json.loads(files["manifest.json"])
    described_image[0]["Layers"] = ["one/layer.tar"]
    path = write_tar(tmp_path / "a.tar", {**files, "manifest.json": encoded(described_image)})
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("one/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, f"../{layer}"
        tar.addfile(link)
    assert ImageArchive.read(path).reference == REFERENCE


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.3, 0.5, 0.7])
def test_a_truncated_archive_is_refused(tmp_path: Path, form: str, kept: float) -> None:
    whole = write_tar(tmp_path / "whole.tar", files_of(SmallImage(greeting=b"x" * 50_000), form, REFERENCE))
    content = whole.read_bytes()
    path = tmp_path / "a.tar"
    path.write_bytes(content[: int(len(content) * kept)])
    assert "truncated" in refusal(path) or "cannot be read to its end" in refusal(path)


def test_a_truncated_compressed_archive_is_refused(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "whole.tar", SmallImage().layout(REFERENCE))
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(whole.read_bytes())[:-20])
    assert "cannot be read to its end" in refusal(path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", ["layer", "config"])
def test_a_changed_part_is_refused_by_its_digest(tmp_path: Path, form: str, part: str) -> None:
    image = SmallImage()
    files = files_of(image, form, REFERENCE)
    content = image.layer if part == "layer" else image.config
    (name,) = [name for name, each in files.items() if each == content]
    changed = content.replace(b"hello", b"HELLO") if part == "layer" else content.replace(b"a test", b"A test")
    assert changed != content
    path = write_tar(tmp_path / "a.tar", {**files, name: changed})
    assert f"the digest of {name} is {digest(changed)[7:]}, and has to be {digest(content)[7:]}" in refusal(path)


def test_a_manifest_that_is_not_the_one_of_the_index_is_refused(tmp_path: Path) -> None:
    image = SmallImage()
    files = image.layout(REFERENCE)
    name = f"blobs/sha256/{digest(image.manifest)[7:]}"
    path = write_tar(tmp_path / "a.tar", {**files, name: image.manifest + b" "})
    assert f"the digest of {name} is" in refusal(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_layer_is_named(tmp_path: Path, form: str) -> None:
    image = SmallImage()
    files = {name: each for name, each in files_of(image, form, REFERENCE).items() if each != image.layer}
    assert f"it lacks {'blobs/sha256/' if form == 'layout' else ''}{digest(image.layer)[7:]}" in refusal(
        write_tar(tmp_path / "a.tar", files)
    )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("version", ["1.8.3", "v1.8.3", "1.8.4-rc.1"])
def test_a_label_that_says_another_version_is_refused(tmp_path: Path, form: str, version: str) -> None:
    path = write_tar(tmp_path / "a.tar", files_of(SmallImage({LABEL: version}), form, REFERENCE))
    assert f"its tag is v1.8.4, but the image's label {LABEL} says {version}" in refusal(path)


@pytest.mark.parametrize("version", ["1.8.4", "v1.8.4", "24.04", "", "latest"])
def test_a_label_that_says_the_same_or_no_release_is_fine(tmp_path: Path, version: str) -> None:
    path = write_tar(tmp_path / "a.tar", SmallImage({LABEL: version}).layout(REFERENCE))
    assert ImageArchive.read(path).tag == "v1.8.4"


@pytest.mark.parametrize("form", FORMATS)
def test_another_machines_image_is_refused(tmp_path: Path, form: str) -> None:
    path = write_tar(tmp_path / "a.tar", files_of(SmallImage(architecture="s390x"), form, REFERENCE))
    assert f"its image is for s390x, and this machine is {ARCHITECTURE}" in refusal(path)


@pytest.mark.parametrize(
    ("names", "form", "words"),
    [
        ([""], "layout", "does not say which image it is, by name and tag: it says none"),
        (["v1.8.4"], "layout", "does not say which image it is, by name and tag: it says v1.8.4"),
        ([], "saved", "does not say which image it is, by name and tag: it says none"),
        ([REFERENCE, f"{NAME}:v1.8.3"], "layout", "it holds 2 images, and has to hold one"),
        ([REFERENCE, f"{NAME}:v1.8.3"], "saved", f"it says several names: {REFERENCE}, {NAME}:v1.8.3"),
    ],
)
def test_an_archive_that_does_not_say_one_name_is_refused(
    tmp_path: Path, names: list[str], form: str, words: str
) -> None:
    assert words in refusal(write_tar(tmp_path / "a.tar", files_of(SmallImage(), form, *names)))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a": b"b"}, "neither index.json nor manifest.json"),
        ({"index.json": b"{"}, "its index.json is no JSON"),
        ({"index.json": b"{}"}, "what describes the image in it is malformed"),
        ({"index.json": b"[]"}, "what describes the image in it is malformed"),
        ({"manifest.json": b'[{"RepoTags": ["a:1"]}]'}, "what describes the image in it is malformed"),
    ],
)
def test_a_tar_file_of_something_else_is_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    assert words in refusal(write_tar(tmp_path / "a.tar", files))


def test_a_file_that_is_no_tar_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_text("not found\n")
    assert "cannot be read to its end" in refusal(path)
