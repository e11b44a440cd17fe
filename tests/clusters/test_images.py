"""A node's containerd root, made of links to a golden one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.clusters.node.errors import NodeFailed
from gitops_e2e.clusters.node.images import share

_SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots"
_BLOB = "io.containerd.content.v1.content/blobs/sha256/12ab"
_DATABASE = "io.containerd.metadata.v1.bolt/meta.db"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    root = tmp_path / "golden"
    for path, content in {f"{_SNAPSHOTS}/1/fs/bin/sh": "shell", _BLOB: "layer", _DATABASE: "names"}.items():
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(content)
    return root


def test_layers_are_seen_and_not_copied(golden: Path, tmp_path: Path) -> None:
    target = tmp_path / "node"

    share(golden, target)

    assert (target / _SNAPSHOTS / "1/fs/bin/sh").read_text() == "shell"
    assert (target / _SNAPSHOTS / "1").is_symlink()
    assert (target / _BLOB).samefile(golden / _BLOB)


def test_what_the_node_writes_or_removes_is_its_own(golden: Path, tmp_path: Path) -> None:
    target = tmp_path / "node"
    share(golden, target)

    (target / _DATABASE).write_text("more names")
    (target / _SNAPSHOTS / "2").mkdir()
    (target / _SNAPSHOTS / "1").rename(target / _SNAPSHOTS / "rm-1")
    (target / _SNAPSHOTS / "rm-1").unlink()
    (target / _BLOB).unlink()

    assert (golden / _DATABASE).read_text() == "names"
    assert [path.name for path in (golden / _SNAPSHOTS).iterdir()] == ["1"]
    assert (golden / _SNAPSHOTS / "1/fs/bin/sh").read_text() == "shell"
    assert (golden / _BLOB).read_text() == "layer"


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeFailed, match="no containerd root"):
        share(tmp_path, tmp_path / "node")
