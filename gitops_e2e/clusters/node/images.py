"""The images of a node's containerd: those of a prepared root, shared and not copied.

Unpacked layers are most of a root, and nothing ever writes to them. So the node's root has links to the golden
root's snapshots, hard links to its content, and copies of the databases alone: a few dozen files instead of
thousands to make at the start and to remove at the end. The node sees the golden root at its own path.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gitops_e2e.clusters.node.errors import NodeFailed

_SNAPSHOTS = Path("io.containerd.snapshotter.v1.overlayfs/snapshots")
_DATABASE = ".db"


def share(golden: Path, target: Path) -> None:
    """Make `target` a containerd root with the images of `golden`, which must stay as long as `target` is used.

    Raises NodeFailed where the golden root is none, or lies on another file system.
    """
    if not (golden / _SNAPSHOTS).is_dir():
        raise NodeFailed("this is no containerd root with unpacked images", where=str(golden))
    try:
        for folder, inner, files in os.walk(golden):
            _share_folder(Path(folder), target / Path(folder).relative_to(golden), files)
            if Path(folder) == golden / _SNAPSHOTS:
                _link_all(Path(folder), target / _SNAPSHOTS, inner)
                inner.clear()
    except OSError as error:
        raise NodeFailed(f"cannot share the images of a containerd root: {error}", where=str(golden)) from error


def _share_folder(folder: Path, target: Path, files: list[str]) -> None:
    target.mkdir(mode=folder.stat().st_mode)
    for name in files:
        if name.endswith(_DATABASE):
            shutil.copy2(folder / name, target / name)
        else:
            (target / name).hardlink_to(folder / name)


def _link_all(folder: Path, target: Path, names: list[str]) -> None:
    for name in names:
        (target / name).symlink_to(folder / name)
