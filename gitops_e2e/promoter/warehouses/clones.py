"""Reading a Git repository: a fresh clone, its commits and its tags."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.steps.git import CommandRefused, Home, with_user
from gitops_e2e.promoter.steps.model import Author

_PAGE = 500
_COMMIT_FIELDS = ("%H", "%ct", "%an <%ae>", "%cn <%ce>", "%s")
_RECORD_END = "\x1e"
_SUBJECT_LENGTH = 80
_OF_COMMIT = ("objectname", "authorname", "authoremail", "committername", "committeremail", "contents:subject")
_TAG_FIELDS = (
    *("refname:strip=2", "creatordate:unix", "objecttype", "*objecttype", "taggername", "taggeremail"),
    *_OF_COMMIT,
    *(f"*{field}" for field in _OF_COMMIT),
)


class CloneFailed(HarnessError):
    """A repository cannot be cloned."""


@dataclass(frozen=True)
class Commit:
    """A commit. People are written `Name <address>`; the subject is cut to 80 characters."""

    id: str
    date: datetime
    author: str
    committer: str
    subject: str


@dataclass(frozen=True)
class Tag:
    """A tag of a commit, whose `date` is that of the tag's making where it is annotated.

    `tagger` and `annotation` are empty for a tag that is not.
    """

    name: str
    commit: Commit
    tagger: str
    annotation: str


class Clones:
    """Clones below one directory, each for as long as it is read. What a killed process left there is removed."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob("repo-*"):
            shutil.rmtree(left, ignore_errors=True)
        self._root = root

    @contextmanager
    def clone(self, url: str, login: Login | None, *, branch: str, verify_tls: bool) -> Iterator[Clone]:
        """A clone of one branch, the default one if none is named. Raises CloneFailed."""
        home = Home.create(self._root, Author(), login, verify_tls=verify_tls)
        place = home.path / "repo"
        chosen = ["--branch", branch] if branch else []
        command = ["clone", "--no-tags", "--single-branch", *chosen, with_user(url, login), str(place)]
        try:
            home.git(*command, cwd=home.path, login=login)
        except CommandRefused as error:
            shutil.rmtree(home.path, ignore_errors=True)
            into = f"error cloning repo {quote(url)} into {quote(str(place))}"
            raise CloneFailed(f"{into}: {error.what}") from error
        try:
            yield Clone(home, place, login)
        finally:
            shutil.rmtree(home.path, ignore_errors=True)


@dataclass(frozen=True)
class Clone:
    """One branch of a remote repository. Every method raises CommandRefused."""

    home: Home
    path: Path
    login: Login | None

    def commits(self) -> Iterator[Commit]:
        """The branch's commits, newest first."""
        skip = 0
        while page := self._page(skip):
            yield from page
            skip += _PAGE

    def tags(self) -> list[Tag]:
        """All tags of commits that the remote repository has, the newest first."""
        self._git("fetch", "origin", "--tags")
        form = "%00".join(f"%({field})" for field in _TAG_FIELDS) + "%1e"
        listing = self._git("for-each-ref", "--sort=-creatordate", f"--format={form}", "refs/tags")
        return [tag for record in _records(listing) if (tag := _tag(record))]

    def changed_paths(self, commit: Commit) -> list[str]:
        """The files that a commit changes; of a merge, those that differ from all of its parents."""
        shown = self._git("-c", "core.quotePath=false", "show", "--pretty=", "--name-only", commit.id)
        return shown.splitlines()

    def _page(self, skip: int) -> list[Commit]:
        form = "%x00".join(_COMMIT_FIELDS) + "%x1e"
        listing = self._git("log", f"--skip={skip}", f"--max-count={_PAGE}", f"--format={form}")
        return [_commit(*fields) for fields in _records(listing)]

    def _git(self, *arguments: str) -> str:
        return self.home.git(*arguments, cwd=self.path, login=self.login)


def _records(listing: str) -> list[list[str]]:
    """The fields of each record: lines will not do, as people write what they like into their names."""
    return [record.lstrip("\n").split("\0") for record in listing.split(_RECORD_END)[:-1]]


def _commit(commit_id: str, unix: str, author: str, committer: str, subject: str) -> Commit:
    return Commit(commit_id, datetime.fromtimestamp(int(unix), UTC), author, committer, subject[:_SUBJECT_LENGTH])


def _tag(record: list[str]) -> Tag | None:
    """One record of the listing; None for a tag of something else than a commit."""
    name, unix, kind, of_kind, tagger, address, *rest = record
    fields = rest[len(_OF_COMMIT) :] if kind == "tag" else rest[: len(_OF_COMMIT)]
    if (of_kind if kind == "tag" else kind) != "commit":
        return None
    commit_id, author, author_address, committer, committer_address, subject = fields
    commit = _commit(commit_id, unix, f"{author} {author_address}", f"{committer} {committer_address}", subject)
    if kind != "tag":
        return Tag(name, commit, "", "")
    return Tag(name, commit, f"{tagger} {address}", rest[len(_OF_COMMIT) - 1])
