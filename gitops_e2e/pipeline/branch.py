"""A branch as the Git server has it: the first of the three truths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.git import Commit, Git
from gitops_e2e.pipeline.names import SERVICE

_SEPARATOR = "\x1f"


class BranchError(HarnessError, AssertionError):
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

    def since(self, commit: str) -> tuple[Commit, ...]:
        """The commits that came on top of that one, newest first. Raises BranchError where it is not there any more."""
        commits = self.log()
        ids = [each.id for each in commits]
        if commit not in ids:
            raise BranchError(
                f"branch {self.name} does not rest on commit {commit[:7]} any more: it has {listed(commits)}",
                where=str(self.git.folder),
            )
        return commits[: ids.index(commit)]

    def require(self, version: str, commit: str) -> None:
        """Raises BranchError unless the newest commit is that one, and asks for that release."""
        asked, newest = self.image_tag(), self.log(1)[0]
        if asked != version:
            raise BranchError(f"branch {self.name} asks for {asked} instead of {version}", where=listed([newest]))
        if newest.id != commit:
            raise BranchError(f"branch {self.name} is at {listed([newest])} instead of {commit[:7]}")

    def manifests(self) -> list[Manifest]:
        """The objects that the newest commit describes. Raises BranchError."""
        head = self.head()
        paths = self.git.run("ls-tree", "-r", "--name-only", head).splitlines()
        texts = (self.git.run("show", f"{head}:{path}") for path in paths if path.endswith((".yaml", ".yml")))
        return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]

    def has(self, kind: str, name: str) -> bool:
        """Whether the newest commit describes an object of that kind and name. Raises BranchError."""
        return any((each["kind"], each["metadata"]["name"]) == (kind, name) for each in self.manifests())

    def containers(self) -> dict[str, Manifest]:
        """The Rollout's containers by name. Raises BranchError."""
        return {str(container["name"]): container for container in _containers(self.manifests())}

    def container(self, name: str) -> Manifest:
        """The Rollout's container of that name. Raises BranchError."""
        container = self.containers().get(name)
        if container is None:
            raise BranchError(f"no Rollout on branch {self.name} has a container {name}", where=str(self.git.folder))
        return container

    def image_tag(self, container: str = SERVICE) -> str:
        """The tag of the image that the Rollout's container is to run. Raises BranchError."""
        return str(self.container(container)["image"]).rpartition(":")[2]

    @property
    def _remote(self) -> str:
        return f"refs/remotes/origin/{self.name}"


def listed(commits: Sequence[Commit]) -> str:
    """Commits in a sentence."""
    return ", ".join(f"{each.id[:7]} ({each.subject})" for each in commits) or "no commit"


def _containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in manifests:
        if manifest["kind"] == "Rollout":
            yield from manifest["spec"]["template"]["spec"]["containers"]
