"""The containerd root that nodes share, filled by Debian's containerd."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.commands import run
from gitops_e2e.images import Images, containerd
from gitops_e2e.images.containerd import ContainerdFailed
from gitops_e2e.images.golden import clone

pytestmark = pytest.mark.node

DATABASE = "io.containerd.metadata.v1.bolt/meta.db"


@pytest.fixture
def golden(images: Images) -> Path:
    return images.golden_root()


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "s"  # the path of a socket must be short


def listed(socket: Path) -> str:
    return run(["ctr", "--address", socket, "--namespace", "k8s.io", "images", "check"], timeout=30).stdout


def greetings(root: Path) -> list[Path]:
    return list(root.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/greeting"))


def test_it_has_every_image_unpacked(golden: Path, state: Path) -> None:
    with containerd.running(golden, state) as socket:
        (line,) = [line for line in listed(socket).splitlines() if "greeting" in line]
    assert line.startswith("gitops-e2e.local/greeting:1.0 ")
    assert line.split()[-1] == "true"
    assert [path.read_text() for path in greetings(golden)] == ["hello\n"]


def test_it_is_made_once_and_leaves_nothing_mounted(images: Images, golden: Path) -> None:
    made = (golden / DATABASE).stat().st_mtime_ns
    assert images.golden_root() == golden
    assert (golden / DATABASE).stat().st_mtime_ns == made
    assert str(images.cache.root) not in Path("/proc/self/mounts").read_text()


def test_a_clone_shares_layers_but_no_database(golden: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone"
    clone(golden, target)
    assert [path.stat().st_ino for path in greetings(target)] == [path.stat().st_ino for path in greetings(golden)]
    assert (target / DATABASE).read_bytes() == (golden / DATABASE).read_bytes()
    assert (target / DATABASE).stat().st_ino != (golden / DATABASE).stat().st_ino


def test_what_happens_to_a_clone_does_not_happen_to_the_golden_root(golden: Path, tmp_path: Path, state: Path) -> None:
    before = (golden / DATABASE).read_bytes()
    target = tmp_path / "clone"
    clone(golden, target)
    with containerd.running(target, state) as socket:
        ctr = ("ctr", "--address", socket, "--namespace", "k8s.io")
        run([*ctr, "images", "remove", "--sync", "gitops-e2e.local/greeting:1.0"], timeout=30)
    assert greetings(target) == []
    assert [path.read_text() for path in greetings(golden)] == ["hello\n"]
    assert (golden / DATABASE).read_bytes() == before


def test_an_archive_can_be_loaded_twice_into_a_running_containerd(images: Images, tmp_path: Path, state: Path) -> None:
    archive = images.archive("greeting:1.0")
    with containerd.running(tmp_path / "root", state) as socket:
        containerd.load(socket, archive)
        containerd.load(socket, archive)
        assert listed(socket).count("gitops-e2e.local/greeting:1.0") == 1


def test_a_containerd_that_does_not_start_says_why(tmp_path: Path, state: Path) -> None:
    (tmp_path / "root").write_text("a file, where a folder should be")
    refused = pytest.raises(ContainerdFailed, match=r"ended with exit code 1 while it started[\s\S]*not a directory")
    with refused, containerd.running(tmp_path / "root", state):
        pass
    assert not state.exists()
