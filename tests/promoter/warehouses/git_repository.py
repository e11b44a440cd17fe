"""Git repositories with a history of the test's own making."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops_e2e.commands import run


class GitRepository:
    """A bare repository below a server's root, and a working tree to write its history in."""

    def __init__(self, root: Path, name: str, work_tree: Path) -> None:
        self.path = root / f"{name}.git"
        self._work_tree = work_tree
        run(["git", "init", "-q", "--bare", "-b", "main", self.path], timeout=30)
        run(["git", "init", "-q", "-b", "main", work_tree], timeout=30)
        self._git("remote", "add", "origin", str(self.path))

    def commit(
        self,
        subject: str,
        *,
        at: str,
        files: Mapping[str, str] | None = None,
        author: str = "a <a@b>",
        committer: str = "a <a@b>",
        branch: str = "main",
    ) -> str:
        """Commit files, one named after the subject where none are given, and push; the commit's id."""
        for path, text in (files or {subject.split(maxsplit=1)[0]: subject}).items():
            file = self._work_tree / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self._git("add", ".")
        environment = {**_person("AUTHOR", author, at), **_person("COMMITTER", committer, at)}
        self._git("commit", "-q", "-m", subject, env=environment)
        self._git("push", "-q", "origin", f"HEAD:{branch}")
        return self._git("rev-parse", "HEAD").strip()

    def tag(self, name: str, *, at: str = "", annotation: str = "", tagger: str = "t <t@b>", of: str = "HEAD") -> None:
        """Tag a commit, or any other object, and push the tag."""
        annotated = ["-a", "-m", annotation] if annotation else []
        self._git("tag", *annotated, name, of, env=_person("COMMITTER", tagger, at))
        self._git("push", "-q", "origin", f"refs/tags/{name}")

    def merge(self, *, at: str, files: Mapping[str, str]) -> tuple[str, str]:
        """Commit files on a branch and merge that without a change of its own; ids of the commit and the merge."""
        self._git("checkout", "-q", "-b", "side", "HEAD~1")
        side = self.commit("side", at=at, files=files, branch="side")
        self._git("checkout", "-q", "main")
        environment = {**_person("AUTHOR", "a <a@b>", at), **_person("COMMITTER", "a <a@b>", at)}
        self._git("merge", "-q", "--no-ff", "-m", "merge", "side", env=environment)
        self._git("push", "-q", "origin", "main")
        return side, self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        return run(["git", *arguments], cwd=self._work_tree, timeout=30, env=env).stdout


def _person(role: str, who: str, at: str) -> dict[str, str]:
    name, _, address = who.rpartition(" ")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address.strip("<>"), f"GIT_{role}_DATE": at}
