"""Which archives of a bundle stand for images of ours, by their names, and whether they are the version that is pinned.

An archive has the name that the image's own project gives it, or ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.bundle import Bundle, BundleError, ImageArchive
from gitops_e2e.images.catalogue import GROUPS, KARGO, Foreign, GoVersion, PackageVersion, Recipe, Release
from gitops_e2e.toolchain import Toolchain

REGISTRY = "gitops-e2e.local"
"""Where images that are built here say that they are from."""

_EVERY = tuple(image for group in (*GROUPS, KARGO) for image in group)
_ANY = ""


@dataclass(frozen=True)
class Bundled:
    """The images of a bundle."""

    bundle: Bundle
    toolchain: Toolchain

    def find(self, image: Recipe | Foreign) -> ImageArchive | None:
        """The archive that is to be taken for the image."""
        wanted = list(self._names(image))
        return next((each for each in self.bundle.images if _wanted(each, wanted)), None)

    def check(self) -> None:
        """Raises BundleError for an archive of an image that is known, in another version than is pinned for it."""
        for archive in self.bundle.images:
            wanted = [each for image in _EVERY for each in self._names(image) if each[0] == archive.name]
            if wanted and not _wanted(archive, wanted):
                pinned = " or ".join(tag for _, tag in wanted)
                raise BundleError(
                    f"the bundle has {archive.reference}, but {pinned} is what this stack is made for",
                    where=str(archive.path),
                    remedy=f"replace it by {archive.name}:{wanted[0][1]}, or take it out of the bundle",
                )

    def unknown(self) -> list[str]:
        """The references of archives that stand for nothing here."""
        known = {name for image in _EVERY for name, _ in self._names(image)}
        return [archive.reference for archive in self.bundle.images if archive.name not in known]

    def _names(self, image: Recipe | Foreign) -> Iterator[tuple[str, str]]:
        """Names of the image, each with the tag that is wanted; any, where Debian decides on the version."""
        if isinstance(image, Foreign):
            yield image.published.name, image.published.tag
            return
        version = self._pinned(image)
        yield f"{REGISTRY}/{image.name}", version
        if image.published:
            yield image.published.name, image.published.tag or version

    def _pinned(self, recipe: Recipe) -> str:
        match recipe.version:
            case GoVersion(module):
                return self.toolchain.version(module)
            case PackageVersion():
                return _ANY
            case Release(version):
                return version


def _wanted(archive: ImageArchive, wanted: list[tuple[str, str]]) -> bool:
    return any(archive.name == name and tag in {_ANY, archive.tag} for name, tag in wanted)
