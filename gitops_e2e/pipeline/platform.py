"""What a pipeline stands on: the cluster, and the servers it keeps its repositories on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitops_e2e.account import Account
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube
from gitops_e2e.pipeline.names import REGISTRY, PipelineNames
from gitops_e2e.pipeline.repository import RepositoryHost
from gitops_e2e.watching import WatchCache

_ROOT = Path(__file__).parents[2]
MANIFESTS = _ROOT / "manifests"
KARGO = _ROOT / "kargo"


class ImageHost(Protocol):
    """The image registry, and the images at hand to fill it from."""

    def reference(self, image: str) -> str:
        """What pods call an image that there is one version of, such as "redis"; its tag is the version inside."""

    def publish(self, repository: str, image: str, tag: str, *, as_tag: str = "") -> None:
        """Let `<repository>:<tag>` of the registry be the image at hand of that name and tag; or another tag be it."""

    def withdraw(self, repository: str, tag: str) -> None:
        """Let the registry have `<repository>:<tag>` no more, nor any other tag of the same image."""


@dataclass(frozen=True)
class Platform:
    """Everything a pipeline needs to exist.

    `cache` is where its objects are watched; `address` is the host at which this machine reaches the cluster's
    NodePorts; `account` opens private repositories; `kustomize` is the command; `scratch` is a folder for clones;
    `trusts_git` tells whether Argo CD trusts the Git server's certificate: one that is not ours does not;
    `manifests` and `kargo` are the folders that pipelines and their Projects are made from; `outside` is a registry
    that has all images, instead of the one in the cluster.
    """

    kube: Kube
    cache: WatchCache
    address: str
    repositories: RepositoryHost
    images: ImageHost
    account: Account
    kustomize: Path
    scratch: Path
    manifests: Path = MANIFESTS
    kargo: Path = KARGO
    trusts_git: bool = True
    outside: RemoteRegistry | None = None

    def names(self, pipeline: str, *, private: bool = False) -> PipelineNames:
        """What the parts of the pipeline of that id are called here. Raises InvalidPipelineId."""
        return PipelineNames(pipeline, private, registry=self.outside.place if self.outside else REGISTRY)
