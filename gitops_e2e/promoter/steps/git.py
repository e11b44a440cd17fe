"""Git for the git steps: a bare clone with its own home, and working trees of it."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from gitops_e2e.commands import CommandFailed, CommandTimedOut, run
from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.steps.model import Author, StepContext, StepError
from gitops_e2e.promoter.steps.paths import secure_join

_SECONDS = 120.0
_OWN_KEYS = (("repoDir", "repo dir"), ("repoHomeDir", "repo home dir"), ("repoOriginalURL", "original URL"))
_ASKPASS = '#!/bin/sh\nprintf "%s\\n" "$GIT_PASSWORD"\n'


class CommandRefused(StepError):
    """An external command failed; `output` is what it printed."""

    def __init__(self, argv: tuple[str, ...], output: str, reason: str = "") -> None:
        super().__init__(f"error executing cmd [{' '.join(argv)}]: {output}{f': {reason}' if reason else ''}")
        self.output = output


@dataclass(frozen=True)
class Home:
    """The directory that git takes for its user's home: identity, login and settings of one clone."""

    path: Path

    @staticmethod
    def create(work_dir: Path, author: Author, login: Login | None, *, verify_tls: bool) -> Home:
        """Make a home for a clone below the work directory."""
        home = Home(Path(tempfile.mkdtemp(prefix="repo-", dir=work_dir)))
        settings = {"user.name": author.name, "user.email": author.email}
        if not verify_tls:
            settings["http.sslVerify"] = "false"
        for key, value in settings.items():
            home.git("config", "--global", key, value, cwd=home.path)
        home.admit(login)
        return home

    def admit(self, login: Login | None) -> None:
        """Have the login's key at hand for ssh; a password is given to git at each call instead."""
        askpass = self.path / "askpass"
        askpass.write_text(_ASKPASS)
        askpass.chmod(0o700)
        if login and login.ssh_private_key:
            key = self.path / "ssh-key"
            key.touch(mode=0o600)
            key.write_text(f"{login.ssh_private_key.rstrip()}\n")

    def git(self, *arguments: str, cwd: Path, login: Login | None = None, env: Mapping[str, str] | None = None) -> str:
        """Run git and give what it printed to standard output. Raises CommandRefused."""
        argv = (_git(), *arguments)
        if not cwd.is_dir():
            raise CommandRefused(argv, "", f"chdir {cwd}: no such file or directory")
        try:
            return run(argv, timeout=_SECONDS, cwd=cwd, env={**self._environment(login), **(env or {})}).stdout
        except CommandTimedOut as error:
            raise CommandRefused(argv, error.output, f"no end within {_SECONDS:.0f} s") from error
        except CommandFailed as error:
            raise CommandRefused(argv, error.output) from error

    def _environment(self, login: Login | None) -> dict[str, str]:
        password = login.password if login else ""
        known_hosts = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        key = f"-i {shlex.quote(str(self.path / 'ssh-key'))} -o IdentitiesOnly=yes"
        return {
            "HOME": str(self.path),
            "XDG_CONFIG_HOME": str(self.path / ".config"),
            # Without a password git is not to ask for one either: it says then that it cannot, as in Kargo.
            "GIT_ASKPASS": str(self.path / "askpass") if password else "",
            "GIT_PASSWORD": password,
            "GIT_SSH_COMMAND": f"ssh -F /dev/null {known_hosts} {key}",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C",
        }


@dataclass(frozen=True)
class _Repository:
    """A place where git runs. `url` is the remote repository's as it is configured."""

    home: Home
    path: Path
    url: str
    login: Login | None

    def git(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run git here. Raises CommandRefused."""
        return self.home.git(*arguments, cwd=self.path, login=self.login, env=env)

    def has_remote_branch(self, branch: str) -> bool:
        """Whether the remote repository has the branch. Raises CommandRefused.

        As in Kargo, one whose name ends in `/<branch>` counts, too: so `git ls-remote` takes its patterns.
        """
        return bool(self.git("ls-remote", "--heads", "origin", branch).strip())


class BareClone(_Repository):
    """All branches and tags of a remote repository, without files."""

    @staticmethod
    def clone(home: Home, url: str, login: Login | None) -> BareClone:
        """Clone a repository. Raises CommandRefused."""
        clone = BareClone(home, home.path / "repo", url, login)
        home.git("clone", "--bare", with_user(url, login), str(clone.path), cwd=home.path, login=login)
        for key, value in (("repoDir", clone.path), ("repoHomeDir", home.path), ("repoOriginalURL", url)):
            clone.git("config", f"kargo.{key}", str(value))
        return clone

    def create_branch(self, branch: str) -> None:
        """Make a branch without history or files, here and in the remote repository. Raises CommandRefused."""
        tree = self.git("hash-object", "-w", "-t", "tree", os.devnull).strip()
        commit = self.git("commit-tree", tree, "-m", "Initial commit").strip()
        self.git("update-ref", f"refs/heads/{branch}", commit)
        self.git("push", "origin", branch)

    def add_working_tree(self, path: Path, ref: str) -> WorkingTree:
        """Check out a branch, or a tag or commit with a detached HEAD. Raises CommandRefused."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.git("worktree", "add", str(path), ref)
        return WorkingTree(self.home, path, self.url, self.login)


class WorkingTree(_Repository):
    """Files checked out from a bare clone."""

    @staticmethod
    def load(context: StepContext) -> WorkingTree:
        """The working tree that an earlier git-clone put at the config's `path`. Raises StepError."""
        path = secure_join(context.work_dir, context.config["path"])
        try:
            _repository, home, url = (_own_setting(context.work_dir, path, *key) for key in _OWN_KEYS)
            login = find_login(context, url)
        except StepError as error:
            raise StepError(f"error loading working tree from {context.config['path']}: {error.what}") from error
        return WorkingTree(Home(Path(home)), path, url, login)

    @property
    def head(self) -> str:
        """The id of the commit that is checked out. Raises CommandRefused."""
        return self.git("rev-parse", "HEAD").strip()

    @property
    def branch(self) -> str:
        """The branch that is checked out. Raises CommandRefused where HEAD is detached."""
        return self.git("symbolic-ref", "--short", "HEAD").strip()


def find_login(context: StepContext, url: str) -> Login | None:
    """The project's login for a repository. Raises StepError."""
    try:
        return context.services.logins.find(context.project, url)
    except HarnessError as error:
        raise StepError(f"error getting credentials for {url}: {error.what}") from error


def _own_setting(work_dir: Path, path: Path, key: str, what: str) -> str:
    try:
        return Home(work_dir).git("config", f"kargo.{key}", cwd=path).strip()
    except CommandRefused as error:
        raise StepError(f"error reading {what} from config: {error.what}") from error


def with_user(url: str, login: Login | None) -> str:
    """The address with the login's user name in it, as git asks for the password of that user only."""
    parts = urlsplit(url)
    if not login or not login.username or parts.scheme not in {"http", "https"}:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login.username, safe='')}@{host}"))


def _git() -> str:
    return shutil.which("git") or "/usr/bin/git"
