"""How long the first build of everything takes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.machine import tell_load
from gitops_e2e.cache import Cache
from gitops_e2e.images import Images
from gitops_e2e.progress import say
from gitops_e2e.toolchain import Toolchain


def measure() -> Iterator[Figure]:
    """Everything that `pytest features/` builds before it starts a node, into an empty cache.

    Cold is our own cache. Debian packages are as they are on the machine, and so are Go's caches: set GOCACHE (and
    GOMODCACHE) to empty folders to have them cold, too.
    """
    user = Cache.of_user().root
    user.mkdir(parents=True, exist_ok=True)
    tell_load()
    go = {name: os.environ.get(name, "Go's own") for name in ("GOCACHE", "GOMODCACHE")}
    say(f"  building into an empty cache; GOCACHE: {go['GOCACHE']}, GOMODCACHE: {go['GOMODCACHE']}")
    folder = Path(tempfile.mkdtemp(prefix="cold-", dir=user.parent))  # on the file system where it would be
    try:
        toolchain = Toolchain(Cache(folder))
        images = Images(toolchain.cache, toolchain)
        started = time.monotonic()
        images.build_all()
        images.golden_root()
        yield Figure("cold_build_s", time.monotonic() - started, "s", goal=900)
    finally:
        shutil.rmtree(folder)
