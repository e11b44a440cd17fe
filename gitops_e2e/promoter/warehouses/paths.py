"""Which changed files count for a git subscription: `includePaths` and `excludePaths`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.globs import glob_pattern
from gitops_e2e.promoter.warehouses.tags import BadPattern, compiled

_Selector = Callable[[str], bool]


@dataclass(frozen=True)
class PathFilter:
    """Selectors of paths: exact ones of files or directories, `glob:` patterns, `regex:` or `regexp:` patterns."""

    included: Sequence[_Selector]
    excluded: Sequence[_Selector]

    @staticmethod
    def of(subscription: Manifest) -> PathFilter:
        """Read a git subscription. Raises BadPattern."""
        included, excluded = subscription.get("includePaths", []), subscription.get("excludePaths", [])
        return PathFilter([*map(_selector, included)], [*map(_selector, excluded)])

    @property
    def is_empty(self) -> bool:
        """Whether every change counts, even none at all."""
        return not self.included and not self.excluded

    def passes(self, changed: Iterable[str]) -> bool:
        """Whether one of the changed files is included (all are, where nothing is named) and not excluded."""
        return any(
            (not self.included or _any(self.included, path)) and not _any(self.excluded, path) for path in changed
        )


def _any(selectors: Sequence[_Selector], path: str) -> bool:
    return any(selects(path) for selects in selectors)


def _selector(text: str) -> _Selector:
    kind, _, pattern = text.partition(":")
    if kind in {"regex", "regexp"}:
        found = compiled(pattern)
        return lambda path: found.search(path) is not None
    if kind == "glob":
        try:
            whole = re.compile(glob_pattern(pattern))
        except re.error as error:
            raise BadPattern(f"error compiling glob {pattern!r}: {error}") from error
        return lambda path: whole.fullmatch(path) is not None
    exact = text.strip("/")
    return lambda path: not exact or path == exact or path.startswith(f"{exact}/")
