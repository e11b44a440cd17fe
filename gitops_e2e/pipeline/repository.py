"""A pipeline's Git repository: the manifests on main, what each stage is to run on a branch of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import yaml

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.branch import Branch
from gitops_e2e.pipeline.changes import Change, ChangeError
from gitops_e2e.pipeline.git import Git
from gitops_e2e.pipeline.names import SERVICE, PipelineNames

_MAIN = "main"
_KUSTOMIZE_BOUND = 30.0


class RepositoryHost(Protocol):
    """The Git server, as far as a pipeline needs it."""

    @property
    def access(self) -> Mapping[str, str]:
        """The environment in which this machine's git gets into all repositories."""

    def create(self, name: str) -> None:
        """Make an empty bare repository."""

    def delete(self, name: str) -> None:
        """Remove it; absent is fine."""

    def push_url(self, name: str) -> str:
        """Where this machine clones from and pushes to."""

    def hook(self, name: str, event: str, script: str) -> None:
        """Run a shell script in the repository at that event: `pre-receive`, or `before-push`."""

    def unhook(self, name: str) -> None:
        """Run none any more; without one is fine."""


class StageNotBuilt(CommandFailed):
    """The manifests parse, and kustomize refuses them all the same."""


@dataclass(frozen=True)
class Rendering:
    """What a stage's branch asks for now: its newest commit, and the files that differ from the one before."""

    commit: str
    files: tuple[str, ...] = ()

    def changes(self, kind: str) -> bool:
        """Whether an object of that kind differs."""
        return any(f"-{kind.lower()}-" in file for file in self.files)


@dataclass(frozen=True)
class Repository:
    """The repository, seen through a clone on this machine.

    Commands that fail raise CommandFailed; a push that would lose someone else's commit is one of them.
    """

    names: PipelineNames
    git: Git
    kustomize: Path

    @staticmethod
    def create(
        host: RepositoryHost, adaptation: Adaptation, manifests: Path, folder: Path, kustomize: Path
    ) -> Repository:
        """Make the repository on the host, with the pipeline's manifests on main; clone it into the folder.

        What a repository that was there before has on its main stays as it is.
        """
        names = adaptation.names
        host.create(names.repository)
        git = Git.clone(host.push_url(names.repository), folder, host.access)
        repository = Repository(names, git, kustomize)
        if git.find(f"refs/remotes/origin/{_MAIN}"):
            git.run("checkout", "--quiet", "-B", _MAIN, f"origin/{_MAIN}")
        else:
            git.run("symbolic-ref", "HEAD", f"refs/heads/{_MAIN}")
            adaptation.folder(manifests, folder)
            repository._commit(f"Pipeline {names.id}")
        return repository

    def change(self, change: Change) -> str:
        """Make the change on main and push it; gives the commit.

        Raises ChangeError where it changes nothing: what a scenario rests on must have happened.
        """
        change.make(self.git.folder)
        if not self.git.run("status", "--porcelain"):
            raise ChangeError(f"nothing was changed by: {change.sentence}", where=str(self.git.folder))
        return self._commit(change.sentence)

    def render(self, stage: str, tag: str) -> Rendering:
        """Let the stage's branch ask for a release, built from main as a promotion does it; main stays as it is.

        There is no commit where the branch asks for exactly that already.
        """
        branch = self.names.branch(stage)
        with self._exported_main() as work:
            rendered = work / "rendered"
            _split(self._build(work / "main", stage, tag), rendered)
            self.git.fetch()
            parent = self.git.find(f"refs/remotes/origin/{branch}")
            commit = self.git.commit_tree(rendered, f"{SERVICE} {tag} in {stage}", parent)
        if commit is None:
            return Rendering(str(parent))
        self.git.push(commit, branch)
        return Rendering(commit, self.git.changed_files(commit))

    def commit_beside(self, stage: str) -> str:
        """Let somebody else's commit come to a stage's branch: a file that no promotion knows. Gives the commit."""
        branch = self.branch(stage)
        with TemporaryDirectory(prefix=f"{self.names.id}-") as folder:
            content = Path(folder) / "content"
            parent = branch.head()
            content.mkdir()
            self.git.run(
                "--work-tree", content, "checkout", parent, "--", ".", env={"GIT_INDEX_FILE": f"{folder}/index"}
            )
            (content / "NOTICE").write_text("Somebody else was here.\n")
            commit = str(self.git.commit_tree(content, "Leave a notice", parent))
        self.git.push(commit, branch.name)
        return commit

    def rendering(self, commit: str) -> Rendering:
        """What somebody else's commit changed."""
        self.git.fetch()
        return Rendering(commit, self.git.changed_files(commit))

    def branch(self, stage: str) -> Branch:
        """The branch that a stage follows."""
        return Branch(self.git, self.names.branch(stage))

    def main(self) -> Branch:
        """The branch that all stages are built from."""
        return Branch(self.git, _MAIN)

    def manifest(self, path: str) -> Manifest:
        """One object of main, such as `applicationset.yaml`."""
        manifest: Manifest = yaml.safe_load((self.git.folder / path).read_text())
        return manifest

    def _commit(self, message: str) -> str:
        self.git.run("add", "--all")
        self.git.run("commit", "--quiet", "--message", message)
        commit = self.git.run("rev-parse", "HEAD")
        self.git.push(commit, _MAIN)
        return commit

    @contextmanager
    def _exported_main(self) -> Iterator[Path]:
        with TemporaryDirectory(dir=self.git.folder.parent) as folder:
            self.git.run("checkout-index", "--all", f"--prefix={folder}/main/")
            yield Path(folder)

    def _build(self, main: Path, stage: str, tag: str) -> str:
        image = f"{self.names.image_repository()}:{tag}"
        run([self.kustomize, "edit", "set", "image", image], cwd=main / "base", timeout=_KUSTOMIZE_BOUND)
        try:
            return run([self.kustomize, "build", main / "stages" / stage], timeout=_KUSTOMIZE_BOUND).stdout
        except CommandFailed as error:
            raise StageNotBuilt(
                f"kustomize cannot build stage {stage} from the manifests",
                output=error.output,
                remedy="mend what it complains of in manifests/, and run again",
            ) from error


def _split(built: str, folder: Path) -> None:
    """One file an object, named as Kargo's kustomize-build names them, so that their commits can be compared."""
    folder.mkdir()
    for text in built.split("\n---\n"):
        manifest = yaml.safe_load(text)
        words = [manifest["metadata"].get("namespace"), manifest["kind"], manifest["metadata"]["name"]]
        name = "-".join(word for word in words if word).lower()
        (folder / f"{name}.yaml").write_text(text.rstrip("\n") + "\n")
