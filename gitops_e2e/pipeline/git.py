"""Git as the harness runs it: bounded, never asking, under an identity of its own, blind to the user's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_e2e.commands import run

_BOUND = 60.0
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "gitops-e2e",
    "GIT_AUTHOR_EMAIL": "gitops-e2e@example.invalid",
    "GIT_COMMITTER_NAME": "gitops-e2e",
    "GIT_COMMITTER_EMAIL": "gitops-e2e@example.invalid",
    "LC_ALL": "C",
    "no_proxy": "*",  # a proxy is for the way out; the platform's Git server is always at hand
}
_OPTIONS = ("-c", "core.excludesFile=/dev/null")


@dataclass(frozen=True)
class Commit:
    """One commit: its id (40 hexadecimal digits) and the first line of its message."""

    id: str
    subject: str


@dataclass(frozen=True)
class Git:
    """A clone on this machine. Every method raises CommandFailed with what git said.

    `access` is the environment that lets git into the server.
    """

    folder: Path
    access: Mapping[str, str] = field(repr=False)

    @staticmethod
    def list_remote(url: str, access: Mapping[str, str]) -> str:
        """The branches of a server's repository, as `git ls-remote` prints them."""
        argv = ["git", *_OPTIONS, "ls-remote", "--heads", url]
        return run(argv, timeout=_BOUND, env={**_ENVIRONMENT, **access}).stdout

    @staticmethod
    def clone(url: str, folder: Path, access: Mapping[str, str]) -> Git:
        """Clone into a folder that does not exist yet; an empty repository is fine."""
        run(["git", *_OPTIONS, "clone", "--quiet", url, folder], timeout=_BOUND, env={**_ENVIRONMENT, **access})
        return Git(folder, access)

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
        """What one git command prints, without the white space at its end."""
        argv = ["git", *_OPTIONS, *arguments]
        environment = {**_ENVIRONMENT, **self.access, **(env or {})}
        return run(argv, cwd=self.folder, timeout=_BOUND, env=environment, stdin=stdin).stdout.rstrip()

    def fetch(self) -> None:
        """Learn what the server's branches are now."""
        self.run("fetch", "--quiet", "--prune", "origin")

    def find(self, revision: str) -> str | None:
        """The commit that a name stands for, or None where there is none."""
        found = self.run("for-each-ref", "--format=%(objectname)", revision)
        return found or None

    def commit_tree(self, folder: Path, message: str, parent: str | None) -> str | None:
        """Record a folder's whole content as a commit, beside the checked-out branch.

        Gives None when the parent has the very same content.
        """
        index = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
        self.run("--work-tree", folder, "add", "--force", "--all", ".", env=index)
        tree = self.run("write-tree", env=index)
        if parent and self.run("rev-parse", f"{parent}^{{tree}}") == tree:
            return None
        onto = ["-p", parent] if parent else []
        return self.run("commit-tree", tree, *onto, "-F", "-", stdin=message)

    def changed_files(self, commit: str) -> tuple[str, ...]:
        """The files that differ from the commit before, all of them in a first one."""
        return tuple(self.run("diff-tree", "--root", "--no-commit-id", "--name-only", "-r", commit).splitlines())

    def push(self, commit: str, branch: str) -> None:
        """Let a branch of the server point to the commit; refused where that would lose someone's commit."""
        self.run("push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")

    def set_back(self, branch: str) -> str:
        """Let a branch of the server lose its newest commit, as a forced push does; gives the one before."""
        self.fetch()
        before = self.run("rev-parse", f"refs/remotes/origin/{branch}^")
        self.run("push", "--quiet", "--force", "origin", f"{before}:refs/heads/{branch}")
        return before
