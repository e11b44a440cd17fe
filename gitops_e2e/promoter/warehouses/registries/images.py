"""Images by tag: digest, annotations, and when they were made (behaviour file, 2.4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.warehouses.registries.connections import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Connection,
    Document,
)
from gitops_e2e.promoter.warehouses.registries.failures import RegistryFailure
from gitops_e2e.promoter.warehouses.registries.pace import Pace

_CREATED = "org.opencontainers.image.created"
_BUILD_DATE = "org.label-schema.build-date"
_CACHE_SECONDS = 1800.0


@dataclass(frozen=True)
class Platform:
    """What an image runs on, as in `linux/arm64/v8`."""

    os: str
    architecture: str
    variant: str = ""

    @staticmethod
    def parse(text: str) -> Platform:
        """Read `os/arch[/variant]`."""
        return Platform(*text.split("/", 2))

    @staticmethod
    def of(fields: Mapping[str, Any]) -> Platform:
        """Read the fields of an image's config, or of an entry in an index."""
        return Platform(fields.get("os") or "", fields.get("architecture") or "", fields.get("variant") or "")

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True)
class Image:
    """What a tag points to. The digest is that of the index where there is one."""

    tag: str
    digest: str
    annotations: Mapping[str, str]
    created_at: datetime | None


class ImageCache:
    """What was read lately, by digest. Safe to share between threads."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, Platform | None], tuple[float, Image | None]] = {}
        self._lock = threading.Lock()

    def get(self, digest: str, platform: Platform | None) -> tuple[Image | None] | None:
        """What was put, in a tuple, as there may be nothing for a platform; None where nothing was, or long ago."""
        with self._lock:
            until, image = self._entries.get((digest, platform), (0.0, None))
            return (image,) if until > time.monotonic() else None

    def put(self, digest: str, platform: Platform | None, image: Image | None) -> None:
        """Keep an image; None for one that is not there for the platform."""
        now = time.monotonic()
        with self._lock:
            self._entries = {key: entry for key, entry in self._entries.items() if entry[0] > now}
            self._entries[digest, platform] = (now + _CACHE_SECONDS, image)


@dataclass(frozen=True)
class Images:
    """The images of one repository. With a platform, only those are there which run on it."""

    connection: Connection
    pace: Pace
    cache: ImageCache
    platform: Platform | None = None

    def tags(self) -> list[str]:
        """All tags. Raises RegistryFailure."""
        self.pace.wait()
        return self.connection.tags()

    def get(self, tag: str) -> Image | None:
        """The image under a tag; None where it is not for the platform. Raises RegistryFailure."""
        self.pace.wait()
        document = self.connection.manifest(tag)
        known = self.cache.get(document.digest, self.platform)
        if known is None:
            known = (self._describe(document),)
            self.cache.put(document.digest, self.platform, known[0])
        image = known[0]
        return replace(image, tag=tag) if image else None

    def _describe(self, document: Document) -> Image | None:
        match document.media_type:
            case t if t in {DOCKER_INDEX, OCI_INDEX}:
                found = list(self._children(document))
            case t if t in {DOCKER_MANIFEST, OCI_MANIFEST}:
                found = self._own(document)
            case unknown:
                raise RegistryFailure(f"unknown artifact type: {unknown}")
        if not found:
            return None
        moments = [moment for moment in found if moment is not None]
        annotations = document.content.get("annotations") or {}
        return Image("", document.digest, annotations, max(moments, default=None))

    def _own(self, manifest: Document) -> list[datetime | None]:
        """When the image was made; an empty list where it is not for the platform."""
        config = self.connection.config(manifest)
        if self.platform not in {None, Platform.of(config)}:
            return []
        return [_created_at(manifest.content.get("annotations") or {}, config)]

    def _children(self, index: Document) -> Iterator[datetime | None]:
        """When the images of an index were made, those for the platform."""
        entries = [entry for entry in index.content.get("manifests") or [] if _is_image(entry)]
        if not entries:
            raise RegistryFailure("empty V2 manifest list or OCI index is not supported")
        if self.platform:
            entries = [entry for entry in entries if Platform.of(entry["platform"]) == self.platform]
            if len(entries) > 1:
                platform = quote(str(self.platform))
                raise RegistryFailure(
                    f"expected only one reference to match platform {platform}, but found {len(entries)}"
                )
        for entry in entries:
            child = self.connection.manifest(entry["digest"])
            config = self.connection.config(child)
            yield _created_at(child.content.get("annotations") or {}, config)


def _is_image(entry: Mapping[str, Any]) -> bool:
    """Not an attestation, for one: those are for an unknown platform."""
    platform = Platform.of(entry.get("platform") or {})
    return not {platform.os, platform.architecture} & {"", "unknown"}


def _created_at(annotations: Mapping[str, str], config: Mapping[str, Any]) -> datetime | None:
    labels = (config.get("config") or {}).get("Labels") or {}
    said = [found[key] for key in (_CREATED, _BUILD_DATE) for found in (annotations, labels) if key in found]
    for text in (*said, config.get("created") or ""):
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo and moment.year > 1:  # year 1 is Go's way to say nothing
                return moment.astimezone(UTC)
    return None
