"""What a git subscription finds (behaviour file, 2.3 and 2.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Environment, Evaluator, ExpressionFailed
from gitops_e2e.promoter.runtime import rfc3339
from gitops_e2e.promoter.warehouses.clones import Clone, CloneFailed, Clones, Commit, Tag
from gitops_e2e.promoter.warehouses.paths import PathFilter
from gitops_e2e.promoter.warehouses.tags import TagFilter, greatest_first, newest_versions

_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
"""What counts as true or false where an expression gives neither, as in Go's strconv.ParseBool."""


class CommitsNotFound(HarnessError):
    """A Git repository cannot be looked through."""


@dataclass(frozen=True)
class CommitSearch:
    """Looks Git repositories through, each time in a fresh clone."""

    logins: Logins
    clones: Clones
    evaluator: Evaluator

    def find(self, project: str, subscription: Manifest) -> Manifest:
        """The entry of `discoveredArtifacts.git` for a git subscription, its commits newest first.

        Raises CommitsNotFound.
        """
        url = subscription["repoURL"]
        try:
            login = self.logins.find(project, url)
        except HarnessError as error:
            raise CommitsNotFound(f"error obtaining credentials for git repo {quote(url)}: {error.what}") from error
        branch = subscription.get("branch", "") if subscription["commitSelectionStrategy"] == _BY_BRANCH else ""
        verify_tls = not subscription.get("insecureSkipTLSVerify", False)
        try:
            with self.clones.clone(url, login, branch=branch, verify_tls=verify_tls) as clone:
                selection = _Selection(clone, self.evaluator, subscription)
                found = list(islice(selection.newest(), subscription["discoveryLimit"]))
        except CloneFailed as error:
            cloning = f"error cloning git repo {quote(url)}"
            raise CommitsNotFound(
                f"error discovering commits from git repo {quote(url)}: {cloning}: {error.what}"
            ) from error
        except HarnessError as error:
            raise CommitsNotFound(f"error discovering commits from git repo {quote(url)}: {error.what}") from error
        return {"repoURL": url, **({"commits": found} if found else {})}


_BY_BRANCH = "NewestFromBranch"


@dataclass(frozen=True)
class _Selection:
    """One subscription's strategy at work on a clone."""

    clone: Clone
    evaluator: Evaluator
    subscription: Manifest

    def newest(self) -> Iterator[Manifest]:
        """All commits that the subscription is for, newest first, as they are written into statuses."""
        if self.subscription["commitSelectionStrategy"] == _BY_BRANCH:
            return self._from_branch()
        return self._from_tags()

    def _from_branch(self) -> Iterator[Manifest]:
        branch = self.subscription.get("branch", "")
        is_wanted = self._filter()
        for commit in self.clone.commits():
            if is_wanted(commit, _of_commit(commit), {"commitDate": rfc3339(commit.date)}):
                yield _discovered(commit, **({"branch": branch} if branch else {}))

    def _from_tags(self) -> Iterator[Manifest]:
        tags = {tag.name: tag for tag in self.clone.tags()}
        is_wanted = self._filter()
        for name in self._sorted(TagFilter.of(self.subscription).keep(tags)):
            tag = tags[name]
            if is_wanted(tag.commit, _of_tag(tag), {"creatorDate": rfc3339(tag.commit.date)}):
                yield _discovered(tag.commit, tag=name)

    def _sorted(self, tags: Iterator[str]) -> Iterator[str]:
        match self.subscription["commitSelectionStrategy"]:
            case "Lexical":
                yield from greatest_first(tags)
            case "SemVer":
                constraint, strict = self.subscription.get("semverConstraint", ""), self.subscription["strictSemvers"]
                yield from newest_versions(tags, constraint=constraint, strict=strict)
            case _:
                yield from tags  # NewestTag: as they are listed

    def _filter(self) -> Callable[[Commit, Mapping[str, str], Mapping[str, str]], bool]:
        """Whether a commit passes the subscription's expression and its paths."""
        expression = self.subscription.get("expressionFilter", "")
        paths = PathFilter.of(self.subscription)

        def is_wanted(commit: Commit, data: Mapping[str, str], times: Mapping[str, str]) -> bool:
            if expression and not self._holds(expression, Environment(data, times=times)):
                return False
            return paths.is_empty or paths.passes(self.clone.changed_paths(commit))

        return is_wanted

    def _holds(self, expression: str, environment: Environment) -> bool:
        try:
            result = self.evaluator.evaluate(expression, environment)
        except ExpressionFailed as error:
            raise CommitsNotFound(f"error evaluating expression filter {quote(expression)}: {error.what}") from error
        return _truth(expression, result.value)


def _truth(expression: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    if text not in _TRUTHS:
        raise CommitsNotFound(f"expression filter {quote(expression)} gives {text!r}, which is neither true nor false")
    return _TRUTHS[text]


def _of_commit(commit: Commit) -> dict[str, str]:
    """What a filter can name of a commit, beside its date."""
    return {"id": commit.id, "author": commit.author, "committer": commit.committer, "subject": commit.subject}


def _of_tag(tag: Tag) -> dict[str, str]:
    """What a filter can name of a tag, beside its date."""
    return {**_of_commit(tag.commit), "tag": tag.name, "tagger": tag.tagger, "annotation": tag.annotation}


def _discovered(commit: Commit, **where: str) -> Manifest:
    people = {"author": commit.author, "committer": commit.committer}
    return {"id": commit.id, **where, "subject": commit.subject, **people, "creatorDate": rfc3339(commit.date)}
