"""The name of a Freight, made from its origin and artifacts (behaviour file, 2.5)."""

from __future__ import annotations

import hashlib
import posixpath

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.freights import origin
from gitops_e2e.promoter.api.urls import normalized_chart_url, normalized_git_url


def freight_name(freight: Manifest) -> str:
    """The SHA-1 over where the Freight comes from and what it is made of, as 40 hex digits."""
    parts = [
        *(_commit(commit) for commit in freight.get("commits", [])),
        *(_image(image) for image in freight.get("images", [])),
        *(_chart(chart) for chart in freight.get("charts", [])),
    ]
    text = f"{origin(freight)}:{'|'.join(sorted(parts, key=str.encode))}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _commit(commit: Manifest) -> str:
    words = [normalized_git_url(commit["repoURL"]), commit.get("tag", ""), commit.get("id", "")]
    return ":".join(words if words[1] else [words[0], words[2]])


def _image(image: Manifest) -> str:
    return f"{image['repoURL']}:{image.get('tag', '')}@{image.get('digest', '')}"


def _chart(chart: Manifest) -> str:
    url = normalized_chart_url(chart["repoURL"])
    place = posixpath.normpath(posixpath.join(url, chart.get("name", "")))
    return f"{place}:{chart.get('version', '')}"
