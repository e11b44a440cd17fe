"""What a run is given beside what it builds: archives, leave to pull and so one Kargo or the other, a registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitops_e2e.bundle import Bundle
from gitops_e2e.cache import Cache
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.images import Images
from gitops_e2e.images.bundled import Bundled
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.toolchain import Toolchain


@dataclass(frozen=True)
class Supply:
    """A bundle that was read and checked, whether anything may be pulled, and the Kargo that follows.

    `outside` is a registry that the cluster's nodes have all images from.
    """

    bundle: Bundle = field(default_factory=Bundle)
    pull: bool = False
    kargo: KargoChoice = field(default_factory=KargoChoice)
    outside: RemoteRegistry | None = None

    @staticmethod
    def of(kargo: str, folder: Path | None, *, pull: bool, outside: RemoteRegistry | None = None) -> Supply:
        """Read what is given, before anything is begun. Raises BundleError and NoKargo."""
        bundle = Bundle.open(folder) if folder else Bundle()
        _bundled(bundle).check()
        return Supply(bundle, pull, KargoChoice.of(kargo, bundle, pull=pull), outside)

    def images(self, toolchain: Toolchain) -> Images:
        """The images of a stack with all this."""
        return Images(toolchain.cache, toolchain, self.kargo.groups, self.bundle, self.pull, self.outside)

    def told(self) -> Iterator[str]:
        """Lines that say which Kargo there will be, and what is in the bundle."""
        yield f"Kargo: {self.kargo}"
        if self.bundle.folder:
            archives = [image.reference for image in self.bundle.images] + [str(chart) for chart in self.bundle.charts]
            yield f"bundle {self.bundle.folder}: {', '.join(archives)}"
        if unknown := _bundled(self.bundle).unknown():
            yield f"nothing here uses {', '.join(unknown)}"


def _bundled(bundle: Bundle) -> Bundled:
    return Bundled(bundle, Toolchain(Cache.of_user()))
