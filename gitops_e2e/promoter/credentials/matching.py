"""Which repositories the data of a Secret are for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

import re2

from gitops_e2e.promoter.api.urls import normalized_chart_url, normalized_git_url, normalized_image_url

_NORMALIZED: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"git": normalized_git_url, "image": normalized_image_url, "helm": normalized_chart_url}
)

_logger = logging.getLogger(__name__)


def fits(repository_type: str, data: Mapping[str, str], repo_url: str, *, where: str) -> bool:
    """Whether the data's `repoURL` is the repository's address, however spelt, or a pattern found in it.

    A host alone is no address of a repository. What is to be a pattern and is none is told in the log, and fits
    nothing: so Kargo does it, too (pkg/credentials/kubernetes/database.go).
    """
    wanted = data.get("repoURL", "")
    if not wanted:
        return False
    normalized = _NORMALIZED[repository_type]
    if data.get("repoURLIsRegex") == "true":
        return any(_found(wanted, url, where) for url in (repo_url, normalized(repo_url)))
    return normalized(wanted) == normalized(repo_url)


def _found(pattern: str, url: str, where: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search(url) is not None
    except re2.error as error:
        _logger.warning("%s: repoURL %r is no regular expression: %s", where, pattern, _text(error))
        return False


def _text(error: re2.error) -> str:
    reason = error.args[0]
    return reason.decode() if isinstance(reason, bytes) else str(reason)
