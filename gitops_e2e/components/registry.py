"""The image registry that the cluster pulls the service under test from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e import account
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.packaged import Packaged
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import RELEASED
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube

NODE_PORT = 30500


class Registry(Packaged):
    """Debian's docker-registry, plain HTTP; the same images can be had at a second address, with a password."""

    name: ClassVar[str] = "registry"
    namespace: ClassVar[str] = "gitops-e2e"
    image: ClassVar[str] = "registry"

    def install(self, kube: Kube, *, within: float) -> None:
        """Install the namespace, the account that the second address asks for, then the rest. Raises KubeError."""
        apply_all(kube, [each for each in self.manifests() if each["kind"] == "Namespace"], within=within)
        account.provide(kube)
        super().install(kube, within=within)


def at_node_port(address: str) -> RemoteRegistry:
    """The registry of a cluster whose NodePorts answer at that host, as this machine reaches it."""
    return RemoteRegistry(f"{address}:{NODE_PORT}", plain=True)


@dataclass(frozen=True)
class ImageRepositories:
    """A registry that the cluster pulls from, and the images at hand to fill it from."""

    images: Images
    registry: RemoteRegistry

    def reference(self, image: str) -> str:
        """What pods call an image that there is one version of, such as "redis"; its tag is the version inside."""
        return self.images.reference(image)

    def publish(self, repository: str, image: str, tag: str, *, as_tag: str = "") -> None:
        """Push the image at hand of that name and tag as `<repository>:<tag>`, or under another tag, as it is."""
        archive = self.images.archive(f"{image}:{tag}" if image in RELEASED else image)
        self.registry.push(archive, f"{repository}:{as_tag or tag}")

    def withdraw(self, repository: str, tag: str) -> None:
        """Let the registry have `<repository>:<tag>` no more, nor any other tag of the same image."""
        self.registry.delete(f"{repository}:{tag}")
