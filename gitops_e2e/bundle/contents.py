"""What is in a tar file: the digest of every file, and what the small ones say."""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gitops_e2e.bundle.errors import BundleError

_CHUNK = 2**20
# What describes an image or a chart is smaller than this by far.
_KEPT = 4 * 2**20


@dataclass(frozen=True)
class Contents:
    """The files of a tar file, by their names: SHA-256 digests, and the bytes of those that are small."""

    path: Path
    digests: Mapping[str, str]
    small: Mapping[str, bytes]
    links: Mapping[str, str]

    @staticmethod
    def read(path: Path) -> Contents:
        """Read it to its end, compressed or not. Raises BundleError where that cannot be done."""
        digests: dict[str, str] = {}
        small: dict[str, bytes] = {}
        links: dict[str, str] = {}
        try:
            with tarfile.open(path, "r:*") as tar:
                for member in tar:
                    name = posixpath.normpath(member.name)
                    if member.issym():
                        links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
                    elif member.islnk():
                        links[name] = posixpath.normpath(member.linkname)
                    elif file := tar.extractfile(member):
                        digests[name], kept = _read(file, member.size)
                        if kept is not None:
                            small[name] = kept
                # What follows the last file says nothing, but a compressed file has to be whole for others to read it.
                while tar.fileobj and tar.fileobj.read(_CHUNK):
                    pass
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise BundleError(
                f"this archive cannot be read to its end: {error}",
                where=str(path),
                remedy="it may be truncated, or no tar file: make it or copy it anew",
            ) from error
        return Contents(path, digests, small, links)

    def __contains__(self, name: str) -> bool:
        return self._resolved(name) in self.digests

    def text(self, name: str) -> bytes:
        """What the file says. Raises BundleError where there is none, or a large one."""
        self.digest(name)
        try:
            return self.small[self._resolved(name)]
        except KeyError:
            raise self.wrong(f"its {name} is too large to describe anything") from None

    def json(self, name: str) -> Any:
        """The file as JSON. Raises BundleError."""
        try:
            return json.loads(self.text(name))
        except ValueError as error:
            raise self.wrong(f"its {name} is no JSON: {error}") from error

    def digest(self, name: str) -> str:
        """The SHA-256 digest of the file, in hexadecimal. Raises BundleError where there is none."""
        try:
            return self.digests[self._resolved(name)]
        except KeyError:
            raise self.wrong(f"it lacks {name}, which it refers to: it may be truncated") from None

    def wrong(self, what: str) -> BundleError:
        """The error that says what is wrong with this archive."""
        return BundleError(
            f"the archive {self.path.name} cannot be used: {what}",
            where=str(self.path),
            remedy="make it or copy it anew; docs/kargo.md has the command",
        )

    def _resolved(self, name: str) -> str:
        return self.links.get(name, name)


def _read(file: IO[bytes], size: int) -> tuple[str, bytes | None]:
    if size <= _KEPT:
        content = file.read()
        return hashlib.sha256(content).hexdigest(), content
    total = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        total.update(chunk)
    return total.hexdigest(), None
