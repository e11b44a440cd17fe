"""Tags of images and of commits: which are wanted, and which of them is newest (behaviour file, 2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.warehouses.semver import Constraint, NotAVersion, Version


class BadPattern(HarnessError):
    """A regular expression of a subscription cannot be read."""


@dataclass(frozen=True)
class TagFilter:
    """A subscription's `allowTags`, a regular expression found anywhere in a tag, and its `ignoreTags`."""

    allowed: Any
    ignored: frozenset[str]

    @staticmethod
    def of(subscription: Manifest) -> TagFilter:
        """Read an image or git subscription. Raises BadPattern."""
        return TagFilter(compiled(subscription.get("allowTags", "")), frozenset(subscription.get("ignoreTags", [])))

    def keep(self, tags: Iterable[str]) -> Iterator[str]:
        """The tags that pass."""
        return (tag for tag in tags if tag not in self.ignored and self.allowed.search(tag))


def newest_versions(tags: Iterable[str], *, constraint: str, strict: bool) -> list[str]:
    """The tags that are versions and within the constraint, if there is one, newest first; the rest is left out.

    A `strict` version has all three numbers. Equal versions are sorted by their text. Raises NotAConstraint.
    """
    wanted = Constraint.parse(constraint) if constraint else None
    versions = [(version, tag) for tag in tags if (version := _version(tag, strict=strict))]
    return [tag for version, tag in sorted(versions, reverse=True) if wanted is None or wanted.allows(version)]


def greatest_first(tags: Iterable[str]) -> list[str]:
    """The tags sorted by their bytes, the greatest first."""
    return sorted(tags, key=str.encode, reverse=True)


def compiled(pattern: str) -> Any:
    """A regular expression of RE2. Raises BadPattern."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode() if isinstance(reason, bytes) else reason
        raise BadPattern(f"error compiling regular expression {pattern!r}: {text}") from error


def _version(tag: str, *, strict: bool) -> Version | None:
    try:
        return Version.parse_strict(tag.removeprefix("v")) if strict else Version.parse(tag)
    except NotAVersion:
        return None
