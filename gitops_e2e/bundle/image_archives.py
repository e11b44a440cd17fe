"""An archive of one image: which image it says that it is, and whether what it says is so.

Two formats hold an image in a tar file: OCI's image layout, and what `docker save` writes. Both name it in an index,
by a tag; both say the digest of every part, so that a part which is missing or changed shows.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.bundle.contents import Contents

_REFERENCE = re.compile(r"(?P<name>[^\s:@]+(:\d+/[^\s:@]+)?):(?P<tag>\w[\w.-]{0,127})")
# Of an image layout's index: https://github.com/opencontainers/image-spec, annotations; containerd has its own.
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_VERSION = "org.opencontainers.image.version"
# A label may be the base image's, whose version is another: Ubuntu's is "24.04". A release has three numbers.
_RELEASE = re.compile(r"v?\d+\.\d+\.\d+.*")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
ARCHITECTURE = _ARCHITECTURES.get(platform.machine(), platform.machine())
"""This machine's, as images have it."""


@dataclass(frozen=True)
class ImageArchive:
    """A whole image in a file. `format` is what skopeo calls it; `digest` is that of what describes the image."""

    path: Path
    format: str
    name: str
    """Registry and repository: "ghcr.io/akuity/kargo"."""
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        """Name and tag."""
        return f"{self.name}:{self.tag}"

    @staticmethod
    def read(path: Path) -> ImageArchive:
        """The image in the file, all of which is read. Raises BundleError for one that is not whole or says no name."""
        contents = Contents.read(path)
        try:
            read = _layout if "index.json" in contents else _saved
            return read(contents)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise contents.wrong(f"what describes the image in it is malformed ({error!r})") from error


def _layout(contents: Contents) -> ImageArchive:
    """An OCI image layout."""
    descriptor = _only(contents, contents.json("index.json")["manifests"])
    annotations = descriptor.get("annotations", {})
    name, tag = _reference(contents, [annotations[each] for each in _NAMES if each in annotations])
    manifest = _manifest(contents, descriptor)
    for blob in (manifest["config"], *manifest["layers"]):
        _blob(contents, blob["digest"])
    _check(contents, contents.json(_blob(contents, manifest["config"]["digest"])), tag)
    return ImageArchive(contents.path, "oci-archive", name, tag, descriptor["digest"])


def _saved(contents: Contents) -> ImageArchive:
    """What `docker save` writes."""
    if "manifest.json" not in contents:
        raise contents.wrong("it has neither index.json nor manifest.json: it may be truncated, or hold no image")
    image = _only(contents, contents.json("manifest.json"))
    name, tag = _reference(contents, image["RepoTags"] or [])
    config, layers = image["Config"], image["Layers"]
    digest = Path(config).name.removesuffix(".json")
    _same(contents, config, digest)
    described = contents.json(config)
    diffs = described["rootfs"]["diff_ids"]
    if len(layers) != len(diffs):
        raise contents.wrong(f"it has {len(layers)} layers, and its description {len(diffs)}")
    for layer, diff in zip(layers, diffs, strict=True):
        _same(contents, layer, _hexadecimal(contents, diff))
    _check(contents, described, tag)
    return ImageArchive(contents.path, "docker-archive", name, tag, f"sha256:{digest}")


def _only(contents: Contents, images: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(images) != 1:
        raise contents.wrong(f"it holds {len(images)} images, and has to hold one")
    return images[0]


def _reference(contents: Contents, said: Sequence[str]) -> tuple[str, str]:
    references = [match for each in said if (match := _REFERENCE.fullmatch(each))]
    if not references:
        raise contents.wrong(f"it does not say which image it is, by name and tag: it says {', '.join(said) or 'none'}")
    if len({match[0] for match in references}) > 1:
        raise contents.wrong(f"it says several names: {', '.join(match[0] for match in references)}")
    return references[0]["name"], references[0]["tag"]


def _manifest(contents: Contents, descriptor: Mapping[str, Any]) -> Mapping[str, Any]:
    """The manifest behind a descriptor; of an index of several platforms, this machine's."""
    manifest: Mapping[str, Any] = contents.json(_blob(contents, descriptor["digest"]))
    if "manifests" not in manifest:
        return manifest
    for each in manifest["manifests"]:
        if each.get("platform", {}).get("architecture") == ARCHITECTURE:
            return _manifest(contents, each)
    raise contents.wrong(f"it has no image for {ARCHITECTURE}")


def _blob(contents: Contents, digest: str) -> str:
    """The name of a part, which has the digest that is said of it."""
    name = f"blobs/sha256/{_hexadecimal(contents, digest)}"
    _same(contents, name, _hexadecimal(contents, digest))
    return name


def _hexadecimal(contents: Contents, digest: str) -> str:
    algorithm, _, hexadecimal = digest.partition(":")
    if algorithm != "sha256":
        raise contents.wrong(f"its digests are {algorithm}, and have to be sha256")
    return hexadecimal


def _same(contents: Contents, name: str, digest: str) -> None:
    found = contents.digest(name)
    if found != digest:
        raise contents.wrong(f"the digest of {name} is {found}, and has to be {digest}: it was changed or damaged")


def _check(contents: Contents, described: Mapping[str, Any], tag: str) -> None:
    """What the image says of itself goes with its tag and this machine."""
    architecture = described["architecture"]
    if architecture != ARCHITECTURE:
        raise contents.wrong(f"its image is for {architecture}, and this machine is {ARCHITECTURE}")
    version = (described["config"].get("Labels") or {}).get(_VERSION, "")
    if _RELEASE.fullmatch(version) and version.removeprefix("v") != tag.removeprefix("v"):
        raise contents.wrong(f"its tag is {tag}, but the image's label {_VERSION} says {version}")
