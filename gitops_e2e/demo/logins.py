"""The logins of a demo whose Git or images are somewhere else, as Secrets on its cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.account import Account
from gitops_e2e.demo.ecr import EcrLogin, EcrRepository
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.pipeline.credentials import kargo_login
from gitops_e2e.pipeline.names import STAGES, PipelineNames
from gitops_e2e.pulling import pull_secret

GIT = "git-login"
IMAGES = "ecr-login"
PULL = "ecr-pull"

UNTIL = "gitops-e2e/holds-until"
"""The annotation that says when a login expires (RFC 3339)."""


@dataclass(frozen=True)
class Logins:
    """Where the Secrets of a pipeline are kept."""

    kube: Kube
    names: PipelineNames

    def let_kargo_push(self, account: Account) -> None:
        """Give Kargo the login of the Git repository. Its Project must be there."""
        self._give_kargo(kargo_login(account, self.names.git_address, repository_type="git", name=GIT))

    def let_kargo_look(self, repository: EcrRepository, login: EcrLogin) -> None:
        """Give Kargo the login of the image repository, by its whole address. Its Project must be there."""
        manifest = kargo_login(login.account, repository.address, repository_type="image", name=IMAGES)
        manifest["metadata"]["annotations"] = {UNTIL: login.until.isoformat()}
        self._give_kargo(manifest)

    def let_stages_pull(self, repository: EcrRepository, login: EcrLogin) -> None:
        """Give the pods of each stage the login to pull with; their namespaces are made where they are not there."""
        for stage in STAGES:
            for manifest in _pulling(self.names.namespace(stage), repository, login):
                self.kube.apply(manifest)

    def held_until(self) -> datetime | None:
        """When Kargo's login for images expires; None where there is none."""
        secret = self.kube.find(Ref("v1", "Secret", IMAGES, self.names.project))
        until = ((secret or {}).get("metadata", {}).get("annotations") or {}).get(UNTIL)
        return datetime.fromisoformat(until) if until else None

    def _give_kargo(self, manifest: Manifest) -> None:
        self.kube.apply({**manifest, "metadata": {"namespace": self.names.project, **manifest["metadata"]}})


def _pulling(namespace: str, repository: EcrRepository, login: EcrLogin) -> Iterator[Manifest]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    yield pull_secret(PULL, namespace, repository.host, login.account, {UNTIL: login.until.isoformat()})
    # The pods' own account: so the manifests need not know that a login is needed.
    yield {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": namespace},
        "imagePullSecrets": [{"name": PULL}],
    }
