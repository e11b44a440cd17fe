"""A containerd root that is filled once and hard-linked by every node."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import run
from gitops_e2e.images import containerd
from gitops_e2e.images.needs import LOADING
from gitops_e2e.progress import doing

_COPY_BOUND = 120.0
# Where sockets go: the path of one may have 107 characters, which the cache's can exceed.
_STATES = Path("/run/gitops-e2e")
# containerd writes into its databases in place; all else in its root it only ever adds and removes.
_DATABASES = "*.db"


def make_golden_root(cache: Cache, archives: Sequence[Path]) -> Path:
    """The root with the images of these archives, which lie in the cache; made if missing.

    Raises ContainerdFailed and CommandFailed.
    """
    key = digest(*(archive.parent.name for archive in archives))

    def fill(folder: Path) -> None:
        LOADING.meet(folder, purpose="loading images into a containerd root")
        state = _STATES / digest(str(folder))
        shutil.rmtree(state, ignore_errors=True)  # of a killed build
        what = f"loading {len(archives)} images into a containerd root"
        with doing(what), containerd.running(folder, state) as socket:
            for archive in archives:
                containerd.load(socket, archive)

    return cache.entry("containerd", key, fill)


def clone(golden: Path, target: Path) -> None:
    """Make `target` a containerd root like `golden`: hard links, and copies of what containerd changes in place.

    Both must be on one file system, and `target` must not exist yet. Raises CommandFailed.
    """
    run(
        ["cp", "--archive", "--link", golden, target],
        timeout=_COPY_BOUND,
        remedy="see to it that both folders are on the same file system, and that it has room",
    )
    for database in target.rglob(_DATABASES):
        original = golden / database.relative_to(target)
        database.unlink()
        shutil.copy2(original, database)
