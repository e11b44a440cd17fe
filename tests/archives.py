"""Image archives and charts, written by hand: whole ones, and ones that are wrong in one way."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.bundle.image_archives import ARCHITECTURE

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def write_tar(path: Path, files: Mapping[str, bytes], *, compressed: bool = False) -> Path:
    content = tar_of(files)
    path.write_bytes(gzip.compress(content) if compressed else content)
    return path


def tar_of(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@dataclass(frozen=True)
class SmallImage:
    """An image of one file. Its archives can be written with other parts than it has."""

    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ARCHITECTURE
    greeting: bytes = b"hello\n"

    @property
    def layer(self) -> bytes:
        return tar_of({"greeting": self.greeting})

    @property
    def config(self) -> bytes:
        return encoded(
            {
                "architecture": self.architecture,
                "os": "linux",
                "config": {"Labels": dict(self.labels)},
                "rootfs": {"type": "layers", "diff_ids": [digest(self.layer)]},
                "history": [{"created_by": "a test"}],
            }
        )

    @property
    def manifest(self) -> bytes:
        return encoded(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": described(CONFIG_TYPE, self.config),
                "layers": [described(LAYER_TYPE, self.layer)],
            }
        )

    def layout(self, *names: str) -> dict[str, bytes]:
        """The files of an OCI image layout that calls it by these names, each as an image of its own."""
        index = {"schemaVersion": 2, "manifests": [self._descriptor(name) for name in names]}
        blobs = {_blob(content): content for content in (self.config, self.layer, self.manifest)}
        return {**blobs, "index.json": encoded(index), "oci-layout": encoded({"imageLayoutVersion": "1.0.0"})}

    def saved(self, *names: str) -> dict[str, bytes]:
        """The files that `docker save` writes."""
        config, layer = (digest(content).partition(":")[2] for content in (self.config, self.layer))
        image = {"Config": f"{config}.json", "RepoTags": list(names), "Layers": [f"{layer}.tar"]}
        return {f"{config}.json": self.config, f"{layer}.tar": self.layer, "manifest.json": encoded([image])}

    def _descriptor(self, name: str) -> dict[str, Any]:
        annotations = {"org.opencontainers.image.ref.name": name} if name else {}
        return {**described(MANIFEST_TYPE, self.manifest), "annotations": annotations}


def described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{digest(content).partition(':')[2]}"


def write_chart(path: Path, name: str, version: str, templates: Mapping[str, str] | None = None) -> Path:
    """A Helm chart, as `helm package` writes it; `templates` are files with their content."""
    about = yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version, "appVersion": f"v{version}"})
    files = {"Chart.yaml": about, **(templates or {})}
    return write_tar(path, {f"{name}/{file}": text.encode() for file, text in files.items()}, compressed=True)
