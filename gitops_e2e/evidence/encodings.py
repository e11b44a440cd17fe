"""The forms in which a known secret may stand in a text."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_SHORTEST = 4
_URL_SAFE = str.maketrans("+/", "-_")


def forms(secret: str) -> frozenset[str]:
    """The secret itself, escaped for JSON, YAML, HTML, URLs and shells, in hexadecimal, and in base64.

    In base64 it is what the secret alone decides, at each of the three offsets that it may have.
    """
    found = {*_escaped(secret), secret.encode().hex(), secret.encode().hex().upper(), *_in_base64(secret)}
    return frozenset(each for each in found if len(each) >= _SHORTEST)


def _escaped(secret: str) -> Iterator[str]:
    for text in (secret, *_in_json(secret)):
        yield text
        yield from _in_json(text)  # JSON within a JSON string, as annotations have it
        yield from _in_url(text)
        yield from _in_html(text)
    yield secret.replace("'", "''")  # YAML, single quoted
    yield repr(secret)[1:-1]
    yield shlex.quote(secret).removeprefix("'").removesuffix("'")


def _in_json(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield re.sub(r"\\u00([0-9a-f]{2})", lambda match: rf"\x{match[1].upper()}", escaped)  # YAML, double quoted
        # Go escapes what HTML would take for its own (encoding/json, HTMLEscape).
        yield escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in_url(text: str) -> Iterator[str]:
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text), quote(text, safe="!$&'()*+,;=:~")):
        yield quoted
        yield _lower_escapes(quoted)
    yield "".join(f"%{byte:02X}" for byte in text.encode())


def _lower_escapes(quoted: str) -> str:
    first, *rest = quoted.split("%")
    return "%".join([first, *(each[:2].lower() + each[2:] for each in rest)])


def _in_html(text: str) -> Iterator[str]:
    escaped = html.escape(text)  # as Python has it: &quot; and &#x27;
    yield escaped
    yield html.escape(text, quote=False)
    yield escaped.replace("&#x27;", "&#39;")
    yield escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as Go has it
    yield escaped.replace("&#x27;", "&apos;")


def _in_base64(secret: str) -> Iterator[str]:
    for offset in range(3):
        core = _core(secret.encode(), offset)
        yield core
        yield core.translate(_URL_SAFE)
        yield from _in_url(core)
        yield core.replace("/", "\\/")


def _core(secret: bytes, offset: int) -> str:
    """The characters that depend on the secret alone when `offset` bytes modulo 3 stand before it."""
    encoded = base64.b64encode(bytes(offset) + secret).decode().rstrip("=")
    shared_before = (0, 2, 3)[offset]
    shared_after = 1 if (offset + len(secret)) % 3 else 0
    return encoded[shared_before : len(encoded) - shared_after]
