"""The shared cache: entries named by the content of what made them, complete or absent.

Layout: `<root>/<kind>/<key>` is a complete entry; `<root>/<kind>/.partial-<key>` is one
being built, or left by a killed build; `<root>/locks/<kind>-<key>` is held by its builder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.locks import held
from gitops_e2e.progress import say

BYTE_CODE = "__pycache__"
"""Where Python keeps what it compiled."""

_LOCK_BOUND = 45 * 60.0


@dataclass(frozen=True)
class Cache:
    """A folder of immutable entries, shared by every clone of one user on one machine."""

    root: Path

    @staticmethod
    def of_user() -> Cache:
        """The cache at `$XDG_CACHE_HOME/gitops-e2e`, by default `~/.cache/gitops-e2e`."""
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Cache(Path(home) / "gitops-e2e")

    def entry(self, kind: str, key: str, build: Callable[[Path], None]) -> Path:
        """The entry's folder; `build` fills an empty folder first where there is none.

        An entry appears by a rename after `build` returned, so it is never half made.
        Raises what `build` raises, and LockTimedOut when another run holds the lock too long.
        """
        if entry := self.find(kind, key):
            return entry
        entry = self.root / kind / key
        with self.lock(f"{kind}-{key}"):
            if entry.is_dir():
                return entry
            partial = entry.with_name(f".partial-{key}")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            try:
                build(partial)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            partial.rename(entry)
        return entry

    def find(self, kind: str, key: str) -> Path | None:
        """The entry's folder, where there is one."""
        entry = self.root / kind / key
        return entry if entry.is_dir() else None

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the machine-wide lock of that name; a dead holder's lock is free. Raises LockTimedOut."""

        def waiting(holder: str) -> None:
            say(f"  … waiting for process {holder}, which is working on {name}")

        with held(self.root / "locks" / name, within=_LOCK_BOUND, waiting=waiting):
            yield


def digest(*parts: str | bytes | Path) -> str:
    """A key of 16 hexadecimal digits from texts, bytes and the content of files and folders.

    Python's byte code does not count: it comes and goes with use.
    """
    total = hashlib.sha256()
    for part in parts:
        for chunk in _content(part):
            total.update(len(chunk).to_bytes(8, "big") + chunk)
    return total.hexdigest()[:16]


def _content(part: str | bytes | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif isinstance(part, bytes):
        yield part
    elif part.is_dir():
        for path in sorted(p for p in part.rglob("*") if p.is_file() and BYTE_CODE not in p.parts):
            yield str(path.relative_to(part)).encode()
            yield path.read_bytes()
    else:
        yield part.read_bytes()
