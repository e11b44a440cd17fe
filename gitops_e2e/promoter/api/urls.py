"""Repository addresses in the form in which they are compared (behaviour file, 2.5)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

DOCKER_HUB = "docker.io"

_DOCKER_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_SCP_FORM = re.compile(r"(?P<user>[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>(?!//).*)")


def normalized_git_url(url: str) -> str:
    """The one form of all spellings of a Git repository's address.

    Lower case, without user (but for ssh), trailing `/` and `.git`; `user@host:path` becomes an ssh URL.
    An address with a query is only lower-cased.
    """
    lower = url.strip().lower()
    if "://" not in lower and (scp := _SCP_FORM.fullmatch(lower)):
        lower = f"ssh://{scp['user'] or ''}{scp['host']}/{scp['path'].lstrip('/')}"
    parts = urlsplit(lower)
    if parts.query or parts.scheme not in {"http", "https", "ssh"}:
        return lower
    place = parts.netloc if parts.scheme == "ssh" else parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path.rstrip('/').removesuffix('.git')}"


def split_image_url(url: str) -> tuple[str, str]:
    """The host of an image repository's registry, `docker.io` where none is named, and its path there."""
    host, slash, path = url.strip().partition("/")
    if not slash or not (host == "localhost" or "." in host or ":" in host):
        host, path = DOCKER_HUB, url.strip()
    if host not in _DOCKER_HUB_HOSTS:
        return host, path
    return DOCKER_HUB, path if "/" in path else f"library/{path}"


def normalized_image_url(url: str) -> str:
    """The one form of all spellings of an image repository's address: Docker Hub's without host."""
    host, path = split_image_url(url)
    return path.removeprefix("library/") if host == DOCKER_HUB else f"{host}/{path}"


def normalized_chart_url(url: str) -> str:
    """The one form of all spellings of a chart repository's address: an OCI one like an image repository's."""
    lower = url.strip().lower()
    return lower if lower.startswith(("http://", "https://")) else normalized_image_url(lower.removeprefix("oci://"))
