"""What a run is given beside what it builds: archives, leave to pull, a registry, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitops_e2e.bundle import Bundle
from gitops_e2e.cache import Cache
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.prometheus import Prometheus
from gitops_e2e.images import Images
from gitops_e2e.images.bundled import Bundled
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.toolchain import Toolchain


@dataclass(frozen=True)
class Supply:
    """A bundle that was read and checked, whether anything may be pulled, and the Kargo that follows.

    `outside` is a registry that the cluster's nodes have all images from.
    A kind cluster with leave to pull is `upstream`: made of kindest/node, it pulls images by itself.
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
        Charts(bundle).check()
        return Supply(bundle, pull, KargoChoice.of(kargo, bundle, pull=pull), outside)

    def images(self, toolchain: Toolchain, provider: str) -> Images:
        """The images of a stack with all this, on a cluster of that provider."""
        groups, upstream = self.kargo.groups, self._is_upstream(provider)
        if upstream:
            groups = tuple(tuple(image for image in group if image.name != Prometheus.image) for group in groups)
        return Images(toolchain.cache, toolchain, groups, self.bundle, self.pull, upstream, self.outside)

    def told(self, provider: str) -> Iterator[str]:
        """Lines that say which Kargo there will be, which charts, what is not run, and what is in the bundle."""
        charts = Charts(self.bundle, self._is_upstream(provider))
        yield f"Kargo: {self.kargo}"
        yield from charts.told()
        if self.bundle.folder:
            archives = [image.reference for image in self.bundle.images] + [str(chart) for chart in self.bundle.charts]
            yield f"bundle {self.bundle.folder}: {', '.join(archives)}"
        if unknown := [*_bundled(self.bundle).unknown(), *charts.unknown()]:
            yield f"nothing here uses {', '.join(unknown)}"

    def _is_upstream(self, provider: str) -> bool:
        return self.pull and provider == "kind"


def _bundled(bundle: Bundle) -> Bundled:
    return Bundled(bundle, Toolchain(Cache.of_user()))
