"""The forms in which a known secret may stand in a text."""

from __future__ import annotations

import base64
import html.entities
import re
from collections.abc import Iterator
from functools import cache

_SHORTEST = 4
_URL_SAFE = str.maketrans("+/", "-_")


def forms(secret: str) -> frozenset[str]:
    """The secret itself, in hexadecimal, and in base64: what is to be looked for, `escaped` in whatever way.

    In base64 it is what the secret alone decides, at each of the three offsets that it may have.
    """
    found = {secret, secret.encode().hex(), secret.encode().hex().upper()}
    for offset in range(3):
        core = _core(secret.encode(), offset)
        found |= {core, core.translate(_URL_SAFE)}
    return frozenset(each for each in found if len(each) >= _SHORTEST)


def escaped(form: str) -> str:
    """A regular expression for it as it is, and escaped for JSON, YAML, Python, HTML or URLs, one in another."""
    return "".join(map(_character, form))


@cache
def _character(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"(?:{'|'.join(_ways(character))})"


def _ways(character: str) -> Iterator[str]:
    code = ord(character)
    match character:
        case "\n":
            yield r"(?:\\+r)?\\+n|\s+[+|]?\s*"
        case "\\":
            yield r"\\+"
        case "'" | '"':
            yield rf"\\*(?:{character}\\*)+"  # doubled in YAML and SQL
        case " ":
            yield r"\s+|\+"  # a line that was folded; a form
        case _:
            yield r"\\*" + re.escape(character)
    yield rf"\\+(?i:u{code:04x}|x{code:02x})"
    yield "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in character.encode())
    names = [name.rstrip(";") for name, value in html.entities.html5.items() if value == character]
    yield rf"&(?:amp;)*(?:{'|'.join([*names, f'#0*{code}', f'(?i:#x0*{code:x})'])});"


def _core(secret: bytes, offset: int) -> str:
    """The characters that depend on the secret alone when `offset` bytes modulo 3 stand before it."""
    encoded = base64.b64encode(bytes(offset) + secret).decode().rstrip("=")
    shared_before = (0, 2, 3)[offset]
    shared_after = 1 if (offset + len(secret)) % 3 else 0
    return encoded[shared_before : len(encoded) - shared_after]
