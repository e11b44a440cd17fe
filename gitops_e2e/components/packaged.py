"""Components that run from a Debian package or a plain binary, by manifests of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.components.adapting import adapted
from gitops_e2e.components.component import Component
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class Packaged(Component):
    """A component whose manifests are `manifests/<image>.yaml`, around the image of that name."""

    image: ClassVar[str]
    sources: Sources
    images: Images

    def manifests(self) -> list[Manifest]:
        """Our own documents, with the image's reference."""
        images = {self.image: self.images.reference(self.image)}
        return adapted(self.sources.own(f"{self.image}.yaml"), namespace=self.namespace, images=images)
