"""A branch as the Git server has it: the first of the three truths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.git import Commit, Git
from gitops_e2e.pipeline.names import SERVICE

_SEPARATOR = "\x1f"


class BranchError(HarnessError):
    """The server has no such branch, or the branch does not hold what was asked for."""


@dataclass(frozen=True)
class Branch:
    """A branch of a pipeline's repository. Every look asks the server."""

    git: Git
    name: str

    def head(self) -> str:
        """The newest commit's id. Raises BranchError where there is no such branch."""
        self.git.fetch()
        commit = self.git.find(self._remote)
        if commit is None:
            raise BranchError(f"the Git server has no branch {self.name}", where=str(self.git.folder))
        return commit

    def log(self, limit: int = 50) -> tuple[Commit, ...]:
        """The newest commits, newest first. Raises BranchError."""
        lines = self.git.run("log", f"--max-count={limit}", f"--format=%H{_SEPARATOR}%s", self.head()).splitlines()
        return tuple(Commit(*line.split(_SEPARATOR, 1)) for line in lines)

    def manifests(self) -> list[Manifest]:
        """The objects that the newest commit describes. Raises BranchError."""
        head = self.head()
        paths = self.git.run("ls-tree", "-r", "--name-only", head).splitlines()
        texts = (self.git.run("show", f"{head}:{path}") for path in paths if path.endswith((".yaml", ".yml")))
        return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]

    def container(self, name: str) -> Manifest:
        """The Rollout's container of that name. Raises BranchError."""
        for container in _containers(self.manifests()):
            if container["name"] == name:
                return container
        raise BranchError(f"no Rollout on branch {self.name} has a container {name}", where=str(self.git.folder))

    def image_tag(self, container: str = SERVICE) -> str:
        """The tag of the image that the Rollout's container is to run. Raises BranchError."""
        return str(self.container(container)["image"]).rpartition(":")[2]

    @property
    def _remote(self) -> str:
        return f"refs/remotes/origin/{self.name}"


def _containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in manifests:
        if manifest["kind"] == "Rollout":
            yield from manifest["spec"]["template"]["spec"]["containers"]
