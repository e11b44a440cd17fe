"""A Git repository of the user's own, on GitHub or any server that takes a name and a token over HTTPS."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import yaml

from gitops_e2e.account import Account
from gitops_e2e.commands import CommandFailed
from gitops_e2e.demo.errors import LoginMissing, LoginRefused, NotThere, WrongAddress
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.git import Git
from gitops_e2e.pipeline.names import SERVICE, PipelineNames

USERNAME, TOKEN = "GITHUB_USERNAME", "GITHUB_TOKEN"

_MAIN = "refs/remotes/origin/main"
_PROBE = "refs/heads/gitops-e2e-may-i-push"
_REFUSALS = (
    "authentication failed",
    "could not read username",
    "could not read password",
    "error: 403",
    "error: 401",
    "denied",
)


@dataclass(frozen=True)
class GivenGit:
    """The repository and the login; a pipeline's `RepositoryHost` that makes and removes nothing on the server."""

    url: str
    account: Account

    @staticmethod
    def of(url: str, environment: Mapping[str, str]) -> GivenGit:
        """The repository at an address, with the login that the environment has.

        Raises WrongAddress and LoginMissing.
        """
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            host = parts.hostname or ""
            raise WrongAddress(
                f"the address of a repository on {host} has a login in it, which everyone on this machine can read",
                where="--git-url",
                remedy=f"give the address alone, and the login by {USERNAME} and {TOKEN}; take that token back",
            )
        if parts.scheme != "https" or not parts.hostname or not parts.path.strip("/"):
            raise WrongAddress(
                f"{url!r} is no address of a Git repository over https",
                where="--git-url",
                remedy="write https://github.com/OWNER/REPOSITORY.git: Kargo sends no login over http",
            )
        if missing := [name for name in (USERNAME, TOKEN) if not environment.get(name)]:
            raise LoginMissing(
                f"{' and '.join(missing)} not set: {url} needs a login that may push to it",
                where="the environment",
                remedy=f"export {USERNAME}=… {TOKEN}=… (a token with write access to the repository's contents)",
            )
        return GivenGit(url, Account(environment[USERNAME], environment[TOKEN]))

    # --- whether it will do

    def check(self, names: PipelineNames) -> None:
        """See that the login may read and push, and that what is on main is this demo's, or nothing.

        Nothing is changed on the server. Raises LoginRefused, NotThere, and WrongAddress for another main.
        """
        with self._cloned() as git:
            self._require_push(git)
            if git.find(_MAIN):
                self._require_ours(git, names)

    @contextmanager
    def _cloned(self) -> Iterator[Git]:
        with TemporaryDirectory(prefix="gitops-e2e-git-") as folder:
            try:
                Git.list_remote(self.url, self.access)
                yield Git.clone(self.url, Path(folder) / "clone", self.access)
            except CommandFailed as error:
                raise self._refused(error, "read") from error

    def _require_push(self, git: Git) -> None:
        empty = git.run("hash-object", "-t", "tree", "-w", "--stdin", stdin="")
        commit = git.run("commit-tree", empty, "-m", "May I push?")
        try:
            git.run("push", "--dry-run", "--quiet", "origin", f"{commit}:{_PROBE}")
        except CommandFailed as error:
            raise self._refused(error, "push to") from error

    def _refused(self, error: CommandFailed, what: str) -> HarnessError:
        said = " ".join(line.strip() for line in error.output.strip().splitlines()[-3:])
        if any(word in said.lower() for word in _REFUSALS):
            return LoginRefused(
                f"{self.account.username} may not {what} the repository: {said}",
                where=self.url,
                remedy=f"see that {TOKEN} is {USERNAME}'s, has not expired, and may write the repository's contents",
            )
        return NotThere(
            f"cannot {what} the repository: {said}",
            where=self.url,
            remedy="see that the repository exists, that the login may see it, and that the server is in reach",
        )

    def _require_ours(self, git: Git, names: PipelineNames) -> None:
        git.run("checkout", "--quiet", "--detach", _MAIN)
        differing = list(_differing(git.folder, names))
        if differing:
            raise WrongAddress(
                "main of the repository is not this demo's: " + "; ".join(differing),
                where=self.url,
                remedy="give an empty repository, which `up` fills, or set these addresses on its main",
            )

    # --- as a pipeline's host

    @property
    def access(self) -> Mapping[str, str]:
        """The environment in which this machine's git gets in; to that address, and by the user's proxy, if any."""
        environment = {key: os.environ[key] for key in ("no_proxy", "NO_PROXY") if key in os.environ}
        return {**self.account.git_environment(self.url), "no_proxy": "", **environment}

    def create(self, name: str) -> None:
        """It is there."""

    def delete(self, name: str) -> None:
        """It stays: it is not ours."""

    def push_url(self, name: str) -> str:  # noqa: ARG002 - there is one
        """Where this machine clones from and pushes to."""
        return self.url

    def hook(self, name: str, event: str, script: str) -> None:  # noqa: ARG002 - none of them can be
        """Raises HarnessError: nobody but its owner can have hooks in it."""
        raise HarnessError("a repository that was given takes no hooks", where=self.url)

    def unhook(self, name: str) -> None:
        """There are none of ours."""


def _differing(folder: Path, names: PipelineNames) -> Iterator[str]:
    """Where the manifests in a clone say another Git or image repository than the pipeline has; what is missing."""
    wanted = (
        ("applicationset.yaml", _git_url, names.git_address),
        ("base/rollout.yaml", _image_repository, names.image_repository()),
    )
    for file, read, address in wanted:
        try:
            found = read(yaml.safe_load((folder / file).read_text()))
        except FileNotFoundError:
            yield f"it has no {file}"
        except (yaml.YAMLError, LookupError, TypeError, StopIteration):
            yield f"{file} is none of this demo's"
        else:
            if found != address:
                yield f"{file} has {found} instead of {address}"


def _git_url(application_set: Manifest) -> str:
    return str(application_set["spec"]["template"]["spec"]["source"]["repoURL"])


def _image_repository(rollout: Manifest) -> str:
    containers = rollout["spec"]["template"]["spec"]["containers"]
    image = next(each["image"] for each in containers if each["name"] == SERVICE)
    return str(image).rpartition(":")[0]
