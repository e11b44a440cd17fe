"""What Git says: the history of all branches, and what each commit changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gitops_e2e.components.git_server import Repositories
from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.pipeline.git import Git
from gitops_e2e.pipeline.names import PipelineNames

_COMMITS = "--max-count=30"
_FORMAT = "--format=%h %cI %an%n    %s"


def log(scene: Scene) -> Iterator[Piece]:
    """The newest commits of each branch, with the files that they changed."""
    for names, git, branch in _branches(scene):
        text = git.run("log", _COMMITS, _FORMAT, "--stat", f"origin/{branch}")
        yield Piece(f"git/{names.repository}/{branch}.log", text + "\n")


def manifests(scene: Scene) -> Iterator[Piece]:
    """What Argo CD was given: each commit of each branch as a diff, the newest first."""
    for names, git, branch in _branches(scene):
        text = git.run("log", _COMMITS, _FORMAT, "--patch", f"origin/{branch}")
        yield Piece(f"manifests/{names.repository}/{branch}.diff", text + "\n")


def _branches(scene: Scene) -> Iterator[tuple[PipelineNames, Git, str]]:
    for names in scene.pipelines:
        with _clone(scene.repositories, names.repository) as git:
            found = git.run("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").splitlines()
            for branch in found:
                if branch != "HEAD":
                    yield names, git, branch


@contextmanager
def _clone(repositories: Repositories, name: str) -> Iterator[Git]:
    with TemporaryDirectory(prefix="evidence-") as folder:
        yield Git.clone(repositories.push_url(name), Path(folder) / "clone", repositories.access)
