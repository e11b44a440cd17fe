"""What a pipeline's parts are called, and how `manifests/` becomes its own by these names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitops_e2e.errors import HarnessError

DEMO = "kargo-demo"
"""The id that stands in `manifests/`."""

STAGES = ("dev", "staging", "prod")

SERVICE = "product-api"
"""The service under test: its image, and its container."""

REGISTRY = "registry.gitops-e2e.svc.cluster.local:5000"
"""The registry, as `manifests/` name it and the cluster pulls from it."""

PRIVATE_REGISTRY = "private-registry.gitops-e2e.svc.cluster.local:5000"
"""Where the same images can be had by who has a password."""

GIT = "git.gitops-e2e.svc.cluster.local"
"""The Git server, as `manifests/` and `kargo/` name it."""

_PRIVATE = "private"

_ID = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")


class InvalidPipelineId(HarnessError):
    """The id cannot be part of the names that are made from it."""


@dataclass(frozen=True)
class PipelineNames:
    """The names of one pipeline, all made from its id. Raises InvalidPipelineId.

    An id has at most 30 characters, so that every name made from it is a DNS label.
    Where `private`, the Git repository is one that asks for a password. `git_url` and `service_repository` are
    addresses of a Git and an image repository that somebody else keeps, instead of the platform's own; `registry` is
    where the pipeline's other images are pulled from.
    """

    id: str
    private: bool = False
    git_url: str = ""
    service_repository: str = ""
    registry: str = REGISTRY

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InvalidPipelineId(
                f"{self.id!r} cannot be the id of a pipeline",
                remedy="use at most 30 lower-case letters, digits and hyphens, a letter first and no hyphen last",
            )

    @property
    def repository(self) -> str:
        """The Git repository, as a path on the server."""
        return f"{_PRIVATE}/{self.id}" if self.private else self.id

    @property
    def git_address(self) -> str:
        """The Git repository, as the cluster reaches it."""
        return self.git_url or f"https://{GIT}/{self.repository}.git"

    @property
    def asks_for_login(self) -> bool:
        """Whether the Git repository can be had with a login only."""
        return self.private or bool(self.git_url)

    @property
    def application_set(self) -> str:
        """The ApplicationSet in namespace argocd."""
        return self.id

    @property
    def project(self) -> str:
        """The Kargo Project, and the namespace of everything that belongs to it."""
        return self.id

    @property
    def warehouse(self) -> str:
        """The Warehouse that looks for releases of the service."""
        return self.id

    @property
    def rollout(self) -> str:
        """The Rollout in each stage's namespace."""
        return f"{self.id}-rollout"

    @property
    def stable_service(self) -> str:
        """The Service of the stable pods, which users reach."""
        return f"{self.id}-stable"

    @property
    def canary_service(self) -> str:
        """The Service of the canary's pods, which the analysis asks."""
        return f"{self.id}-canary"

    def stable_address(self, stage: str) -> str:
        """The host by which that Service is asked from within the cluster."""
        return f"{self.stable_service}.{self.namespace(stage)}.svc.cluster.local"

    def namespace(self, stage: str) -> str:
        """Where a stage runs."""
        return f"{self.id}-{stage}"

    def application(self, stage: str) -> str:
        """The Argo CD Application of a stage, in namespace argocd."""
        return f"{self.id}-{stage}"

    def branch(self, stage: str) -> str:
        """The Git branch that holds what a stage is to run."""
        return f"stage/{stage}"

    def image_repository(self, image: str = SERVICE) -> str:
        """Where an image of the pipeline is pulled from, without a tag."""
        if image == SERVICE and self.service_repository:
            return self.service_repository
        return f"{self.registry}/{self.image_path(image)}"

    @property
    def private_image_repository(self) -> str:
        """Where the service's images can be had by who has a password."""
        return f"{PRIVATE_REGISTRY}/{self.image_path()}"

    def image_path(self, image: str = SERVICE) -> str:
        """An image's repository inside the registry."""
        return f"{self.id}/{image}"

    def within(self, text: str) -> str:
        """A text of `manifests/` or `kargo/`, with these names instead of the demo's."""
        own = {
            f"https://{GIT}/{DEMO}.git": self.git_address,
            f"{REGISTRY}/{DEMO}/{SERVICE}": self.image_repository(),
            REGISTRY: self.registry,
            f"/{DEMO}.git": f"/{self.repository}.git",
            DEMO: self.id,
        }
        # In one pass: what was put in is not looked at again.
        return re.sub("|".join(map(re.escape, own)), lambda found: own[found[0]], text)
