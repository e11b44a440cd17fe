"""How templates are filled: everything is escaped, and what is Markdown in the features becomes HTML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from gitops_e2e.report.book import BAD, Status, slug

WORDS: Mapping[Status, str] = {
    "failed": "failed",
    "error": "error",
    "undefined": "undefined",
    "interrupted": "interrupted",
    "xpassed": "passed unexpectedly",
    "xfailed": "failed as expected",
    "skipped": "skipped",
    "passed": "passed",
    "not run": "not run",
}
"""What each status is called, in the order in which people want to see them."""

_SIGNS = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "undefined": "?",
    "interrupted": "■",
    "xpassed": "⁂",
    "xfailed": "≈",
    "skipped": "→",
    "not run": "○",
    "not reached": "○",
}


@cache
def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("gitops_e2e.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        markdown=_markdown,
        duration=_duration,
        moment=_moment,
        size=_size,
        tone=_tone,
        sign=_SIGNS.get,
        slug=slug,
        parts=_parts,
    )
    return made


def _markdown(text: str) -> Markup:
    """Markdown as HTML: HTML in it is shown as it is, and pictures, which would be loaded, are not made."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(reader.render(textwrap.dedent(text)))  # noqa: S704 - the renderer escapes


@dataclass(frozen=True)
class Part:
    """A part of a text of an outline: words, or the name of a value that each example gives."""

    text: str
    placeholder: bool


def _parts(text: str) -> Sequence[Part]:
    return [Part(each, each.startswith("<")) for each in re.split(r"(<[^<>]+>)", text) if each]


def _duration(seconds: float) -> str:
    if seconds < 0.001:
        return "< 1 ms" if seconds else "0 s"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _size(text: str) -> str:
    size = len(text.encode())
    return f"{size} bytes" if size < 1024 else f"{size / 1024:.1f} KiB"


def _tone(status: str) -> str:
    """The group of statuses that look alike; their signs and words differ."""
    if status in BAD:
        return "bad"
    return {"passed": "good", "xpassed": "waiting", "xfailed": "waiting", "skipped": "waiting"}.get(status, "idle")
