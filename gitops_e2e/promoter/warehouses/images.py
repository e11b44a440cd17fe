"""What an image subscription finds (behaviour file, 2.3 and 2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.runtime import rfc3339
from gitops_e2e.promoter.warehouses.registries import (
    Connection,
    Image,
    ImageCache,
    Images,
    Paces,
    Platform,
    Refusal,
    RegistryFailure,
    Repository,
)
from gitops_e2e.promoter.warehouses.tags import TagFilter, greatest_first, newest_versions

_AT_ONCE = 10
_NEVER = datetime.min.replace(tzinfo=UTC)


class ImagesNotFound(HarnessError):
    """An image repository cannot be looked through."""


@dataclass(frozen=True)
class ImageSearch:
    """Looks image repositories through. Pace and memory are shared by all who use the same search."""

    logins: Logins
    paces: Paces = field(default_factory=Paces)
    cache: ImageCache = field(default_factory=ImageCache)

    def find(self, project: str, subscription: Manifest) -> Manifest:
        """The entry of `discoveredArtifacts.images` for an image subscription, its references newest first.

        Raises ImagesNotFound.
        """
        url, platform = subscription["repoURL"], subscription.get("platform", "")
        repository = Repository.parse(url)
        try:
            login = self.logins.find(project, url)
        except HarnessError as error:
            raise ImagesNotFound(f"error obtaining credentials for image repo {quote(url)}: {error.what}") from error
        verify_tls = not subscription.get("insecureSkipTLSVerify", False)
        with Connection(repository, login, verify_tls=verify_tls) as connection:
            chosen = Platform.parse(platform) if platform else None
            images = Images(connection, self.paces.of(repository), self.cache, chosen)
            try:
                found = list(_Selection(images, repository, subscription).newest())
            except HarnessError as error:
                what = f"error discovering newest applicable images {quote(url)}: {error.what}"
                raise ImagesNotFound(what) from error
        return {
            "repoURL": url,
            **({"platform": platform} if platform else {}),
            **({"references": [_reference(image) for image in found]} if found else {}),
        }


@dataclass(frozen=True)
class _Selection:
    """One subscription's strategy at work on its repository."""

    images: Images
    repository: Repository
    subscription: Manifest

    def newest(self) -> Iterator[Image]:
        """The images that the subscription is for, newest first, as many as it asks for."""
        limit = self.subscription["discoveryLimit"]
        match self.subscription["imageSelectionStrategy"]:
            case "Digest":
                found = self._tagged(self._constraint)
            case "NewestBuild":
                found = self._newest_build(self._tags())
            case "Lexical":
                found = self._each(greatest_first(self._tags()))
            case _:
                strict = self.subscription["strictSemvers"]
                found = self._each(newest_versions(self._tags(), constraint=self._constraint, strict=strict))
        return islice(found, limit)

    @property
    def _constraint(self) -> str:
        return self.subscription.get("constraint") or self.subscription.get("semverConstraint") or ""

    def _tags(self) -> Iterator[str]:
        wanted = TagFilter.of(self.subscription)
        try:
            tags = self.images.tags()
        except RegistryFailure as error:
            listing = f"error listing tags for repo URL {self.repository.name}"
            raise ImagesNotFound(f"error listing tags: {listing}: {error.what}") from error
        return wanted.keep(tags)

    def _tagged(self, tag: str) -> Iterator[Image]:
        try:
            image = self._get(tag)
        except _NoSuchTag:
            return
        if image:
            yield image

    def _each(self, tags: Iterable[str]) -> Iterator[Image]:
        return (image for image in map(self._get, tags) if image)

    def _newest_build(self, tags: Iterable[str]) -> Iterator[Image]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            images = [image for image in pool.map(self._get, tags) if image]
        yield from sorted(images, key=lambda image: (image.created_at or _NEVER, image.tag.encode()), reverse=True)

    def _get(self, tag: str) -> Image | None:
        try:
            return self.images.get(tag)
        except RegistryFailure as error:
            missing = isinstance(error, Refusal) and error.status == 404
            kind = _NoSuchTag if missing else ImagesNotFound
            raise kind(f"error getting image with tag {quote(tag)}: {error.what}") from error


class _NoSuchTag(ImagesNotFound):
    """The registry does not have the tag."""


def _reference(image: Image) -> Manifest:
    return {
        "tag": image.tag,
        "digest": image.digest,
        **({"annotations": dict(image.annotations)} if image.annotations else {}),
        **({"createdAt": rfc3339(image.created_at)} if image.created_at else {}),
    }
