"""A containerd root that is filled once and then shared by every node."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import run
from gitops_e2e.images import containerd
from gitops_e2e.images.needs import LOADING
from gitops_e2e.progress import doing
from gitops_e2e.side_by_side import side_by_side

_COPY_BOUND = 120.0
_LOADERS = 2
# Where sockets go: the path of one may have 107 characters, which the cache's can exceed.
_STATES = Path("/run/gitops-e2e")
# containerd writes into its databases in place; all else in its root it only ever adds and removes.
_DATABASES = "*.db"


def make_golden_root(cache: Cache, archives: Sequence[Path], *, upon: Path | None = None) -> Path:
    """The root with the images of these archives, and those of the root `upon`; made if missing.

    Archives and roots are known by the cache entry they lie in. Raises NotRoot, PackagesMissing, TooLittleDisk,
    ContainerdFailed and CommandFailed.
    """
    key = digest(upon.name if upon else "", *(archive.parent.name for archive in archives))

    def fill(folder: Path) -> None:
        what = f"loading {len(archives)} images into a containerd root"
        LOADING.meet(folder, purpose=what)
        state = _STATES / digest(str(folder))
        shutil.rmtree(state, ignore_errors=True)  # of a killed build
        if upon:
            clone(upon, folder)
        with doing(what), containerd.running(folder, state) as socket:
            side_by_side([partial(containerd.load, socket, archive) for archive in archives], at_most=_LOADERS)

    return cache.entry("containerd", key, fill)


def clone(golden: Path, target: Path) -> None:
    """Make `target`, absent or an empty folder, a containerd root like `golden`, on the same file system.

    Everything is a hard link but what containerd changes in place. Raises CommandFailed.
    """
    run(
        ["cp", "--archive", "--link", f"{golden}/.", target],
        timeout=_COPY_BOUND,
        remedy="see to it that both folders are on the same file system, and that it has room",
    )
    for database in target.rglob(_DATABASES):
        database.unlink()
        shutil.copy2(golden / database.relative_to(target), database)
