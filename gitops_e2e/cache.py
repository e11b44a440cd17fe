"""The shared cache: entries named by the content of what made them, complete or absent.

Layout: `<root>/<kind>/<key>` is a complete entry; `<root>/<kind>/.partial-<key>` is one
being built, or left by a killed build or removal; `<root>/locks/<kind>-<key>` is held by
who builds or removes it. An entry's folder has the time of its last use.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.locks import LockTimedOut, held
from gitops_e2e.progress import say

BYTE_CODE = "__pycache__"
"""Where Python keeps what it compiled."""

_LOCK_BOUND = 45 * 60.0
_PARTIAL = ".partial-"


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
            if not entry.is_dir():
                _fill(entry, build)
            os.utime(entry)
        return entry

    def find(self, kind: str, key: str) -> Path | None:
        """The entry's folder, where there is one; that counts as its use."""
        entry = self.root / kind / key
        if not entry.is_dir():
            return None
        # Under the lock, as somebody may be about to remove it: now it is gone, or it counts as used and stays.
        with self.lock(f"{kind}-{key}", shared=True):
            if not entry.is_dir():
                return None
            os.utime(entry)
        return entry

    def remove_unused(self, *, seconds: float) -> list[str]:
        """Remove the entries that nobody has looked up for so long, and what killed builds left; what is gone.

        What somebody builds at the moment stays. Nobody may still use what they looked up before that time.
        """
        before = time.time() - seconds
        return [f"{kind}/{key}" for kind, key in self._built() if self._remove(kind, key, before)]

    @contextmanager
    def lock(self, name: str, *, shared: bool = False) -> Iterator[None]:
        """Hold the machine-wide lock of that name; a dead holder's lock is free. Raises LockTimedOut."""

        def waiting(holder: str) -> None:
            say(f"  … waiting for process {holder}, which is working on {name}")

        with held(self._lock(name), within=_LOCK_BOUND, shared=shared, waiting=waiting):
            yield

    # --- inside

    def _lock(self, name: str) -> Path:
        return self.root / "locks" / name

    def _built(self) -> list[tuple[str, str]]:
        """Kind and key of every entry, also of those half made: of all that is in the folder, only they have locks."""
        found = {(path.parent.name, path.name.removeprefix(_PARTIAL)) for path in self.root.glob("*/*")}
        return sorted((kind, key) for kind, key in found if self._lock(f"{kind}-{key}").exists())

    def _remove(self, kind: str, key: str, before: float) -> bool:
        entry = self.root / kind / key
        partial = _partial(entry)
        try:
            with held(self._lock(f"{kind}-{key}"), within=0):
                if entry.is_dir() and entry.stat().st_mtime < before:
                    entry.rename(partial)  # a killed removal leaves no half entry, either
                if not partial.is_dir():
                    return False
                shutil.rmtree(partial)
        except LockTimedOut:
            return False  # somebody builds it or looks it up
        return True


def _partial(entry: Path) -> Path:
    return entry.with_name(f"{_PARTIAL}{entry.name}")


def _fill(entry: Path, build: Callable[[Path], None]) -> None:
    partial = _partial(entry)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        build(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(entry)


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
