"""Glob patterns in doublestar's syntax: `*`, `**`, `?`, `[…]` and `{…,…}`."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"(?P<stars>\*+)|(?P<class>\[(?:\\.|[^\]\\])+\])|\\(?P<escaped>.)|(?P<other>.)", re.DOTALL)
_OTHERS = {"?": "[^/]", "{": "(?:", "}": ")"}


def glob_pattern(glob: str) -> str:
    """The regular expression (of Python's `re`) that matches what the glob does, as a whole.

    Raises re.error for braces that do not close.
    """
    depth = 0
    parts: list[str] = []
    for token in _TOKEN.finditer(glob):
        other = token["other"]
        depth += {"{": 1, "}": -1}.get(other, 0)
        if depth < 0:
            raise re.error("unbalanced braces", glob, token.start())
        parts.append("|" if other == "," and depth else _translated(token))
    if depth:
        raise re.error("unbalanced braces", glob, len(glob))
    return "".join(parts)


def _translated(token: re.Match[str]) -> str:
    if stars := token["stars"]:
        return ".*" if len(stars) > 1 else "[^/]*"
    if inside := token["class"]:
        return f"[^{inside[2:-1]}]" if inside[1] in "!^" else inside
    if token["escaped"] is not None:
        return re.escape(token["escaped"])
    return _OTHERS.get(token["other"], re.escape(token["other"]))
