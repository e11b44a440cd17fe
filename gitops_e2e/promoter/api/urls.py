"""Repository addresses in the form in which they are compared (behaviour file, 2.5)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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
