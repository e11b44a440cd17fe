"""Finds secrets in what a run left, however they are written; it shares nothing with what takes them away."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import html
import io
import lzma
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable, Iterator

_DEPTH = 5
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){4,}")
_UNICODE = re.compile(rb"\\u([0-9a-fA-F]{4})")
_ESCAPES = {b"\\n": b"\n", b"\\t": b"\t", b'\\"': b'"', b"\\'": b"'", b"\\/": b"/", b"\\\\": b"\\"}
_ESCAPE = re.compile(rb"\\[nt\"'/\\]")
_X = re.compile(rb"\\x([0-9a-fA-F]{2})")


def found_in(content: bytes, secrets: Iterable[str]) -> list[str]:
    """Those of the secrets that can be had from the content, by undoing encodings again and again."""
    seen: set[bytes] = set()
    wanted = {secret: secret.encode() for secret in secrets}
    found: dict[str, None] = {}
    todo = [(content, _DEPTH)]
    while todo:
        text, depth = todo.pop()
        if text in seen:
            continue
        seen.add(text)
        found |= dict.fromkeys(secret for secret, raw in wanted.items() if raw in text)
        if depth:
            todo += [(inner, depth - 1) for inner in _inner(text) if len(inner) > 3]
    return list(found)


def _inner(text: bytes) -> Iterator[bytes]:
    yield urllib.parse.unquote_to_bytes(text)
    yield urllib.parse.unquote_to_bytes(text.replace(b"+", b" "))
    yield html.unescape(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    yield _UNICODE.sub(lambda match: chr(int(match[1], 16)).encode(errors="replace"), _unescaped(text))
    yield _X.sub(lambda match: chr(int(match[1], 16)).encode(), _unescaped(text))
    yield text.replace(b"''", b"'")
    for run in _HEX.findall(text):
        yield bytes.fromhex(run.decode())
    for joined in {text, re.sub(rb"\\n|\s+", b"", text)}:
        for run in _RUN.findall(joined):
            yield from _from_base64(run)
    yield from _unpacked(text)


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)


def _from_base64(run: bytes) -> Iterator[bytes]:
    run = run.replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):
        rest = run[start:]
        rest = rest[: len(rest) // 4 * 4] if len(rest) % 4 == 1 else rest + b"=" * (-len(rest) % 4)
        try:
            yield base64.b64decode(rest)
        except binascii.Error:
            continue


def _unpacked(data: bytes) -> Iterator[bytes]:
    for magic, unpack in (
        (b"\x1f\x8b\x08", gzip.decompress),
        (b"BZh", bz2.decompress),
        (b"\xfd7zXZ\x00", lzma.decompress),
        (b"\x78\x9c", zlib.decompress),
        (b"PK\x03\x04", _unzipped),
    ):
        start = data.find(magic)
        if start >= 0:
            try:
                yield unpack(data[start:])
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
                continue


def _unzipped(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())
