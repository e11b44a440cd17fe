"""Taking secrets out of everything that a run leaves: files, lines in the terminal, attachments.

Three things are taken away: secrets that are known, in whatever form (`encodings`); what looks like a secret
(`patterns`); and what is compressed, as nobody sees what is in it. What is encoded in base64 or for URLs is
looked into, as often as it is encoded.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

from gitops_e2e.evidence import knowledge
from gitops_e2e.evidence.encodings import escaped, forms
from gitops_e2e.evidence.patterns import MARK, without_patterns

T = TypeVar("T")

COMPRESSED = "[redacted: compressed data]"

# In lines of a fixed length, too, with the breaks as they are or escaped.
_BREAK = r"(?:(?:\\+r)?\\+n|\s[\s+|]*)"
_BREAKS = re.compile(_BREAK)
_BASE64 = re.compile(rf"(?:[A-Za-z0-9+/_-]{{40,}}{_BREAK})*[A-Za-z0-9+/_-]{{16,}}={{0,2}}")
_WORD = re.compile(r"[^\s\"'<>&?=]+")
_MAGIC = re.compile(rb"\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|PK\x03\x04|\x04\x22\x4d\x18")
_ZLIB = re.compile(rb"\A\x78[\x01\x5e\x9c\xda]")
_TEXT = 0.9
_DEPTH = 4


class Redactor:
    """Knows secrets, and takes them out of texts; learns more while a run goes on. Safe to share between threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._forms: frozenset[str] = frozenset()
        self._patterns: tuple[re.Pattern[str], ...] = ()
        self.learn(secrets)

    @staticmethod
    def of_environment(environment: Mapping[str, str] = os.environ) -> Redactor:
        """One that knows what this process's environment holds."""
        return Redactor(knowledge.of_environment(environment))

    def learn(self, secrets: Iterable[str]) -> None:
        """Take these out of all texts to come."""
        with self._lock:
            news = frozenset(each for each in secrets if each) - self._known
            if news:
                self._known |= news
                self._forms |= {form for secret in news for form in forms(secret)}
                # The longest first: a secret may be part of another one.
                self._patterns = tuple(re.compile(escaped(form)) for form in sorted(self._forms, key=len)[::-1])

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self._redacted(text, _DEPTH)

    def within(self, value: T) -> T:
        """The same of every string in lists, mappings and data classes, which are changed where they can be."""
        redacted: T = self._within(value)
        return redacted

    # --- inside

    def _redacted(self, text: str, depth: int) -> str:
        text = _BASE64.sub(lambda run: self._without_encoded(run[0], depth), text)
        for pattern in self._patterns:
            text = pattern.sub(MARK, text)
        text = without_patterns(text)
        return _WORD.sub(lambda word: self._without_quoted(word[0], depth), text) if "%" in text else text

    def _without_encoded(self, run: str, depth: int) -> str:
        for decoded in _decoded(_BREAKS.sub("", run)):
            if _MAGIC.search(decoded) or _ZLIB.match(decoded):
                return COMPRESSED
            inner = decoded.decode(errors="replace")
            if depth and _is_text(inner) and self._redacted(inner, depth - 1) != inner:
                return MARK
        # Of what is no text only what is known can be found, across its lines.
        joined = _BREAKS.sub("", run)
        return MARK if joined != run and any(form in joined for form in self._forms) else run

    def _without_quoted(self, word: str, depth: int) -> str:
        if "%" not in word or not depth:
            return word
        inner = unquote(word)
        return MARK if inner != word and self._redacted(inner, depth - 1) != inner else word

    def _within(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {key: self._within(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return self._lines(value) if all(isinstance(each, str) for each in value) else [*map(self._within, value)]
        if isinstance(value, tuple):
            return tuple(map(self._within, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                object.__setattr__(value, field.name, self._within(getattr(value, field.name)))
        return value

    def _lines(self, lines: list[str]) -> list[str]:
        """Lines together, as a secret may go over several of them."""
        return self("\n".join(lines)).split("\n") if lines else lines


def _decoded(run: str) -> Iterator[bytes]:
    """What a run of base64 may stand for: where it begins within the run is not known."""
    digits = run.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):
        rest = digits[start:]
        rest = rest[: len(rest) - 1] if len(rest) % 4 == 1 else rest
        try:
            yield base64.b64decode(rest + "=" * (-len(rest) % 4))
        except binascii.Error:
            continue


def _is_text(text: str) -> bool:
    printable = sum(char.isprintable() or char in "\r\n\t" for char in text if char != "\ufffd")
    return printable >= _TEXT * len(text)
