"""A machine that lacks something, or has it already: what the user of `pytest features/` is told, at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.images import Images
from gitops_e2e.toolchain import Toolchain
from tests.harness.running import assert_refused, run, with_mounts

pytestmark = pytest.mark.node

_NAME = f"refused-{os.getpid()}"
_ONE = ("-k", "Kubernetes", "--cluster-name", _NAME)
_WITHOUT_NFTABLES = """
mount -t tmpfs none {scratch}
mkdir {scratch}/changes {scratch}/work
mount -t overlay none -o lowerdir=/var/lib/dpkg,upperdir={scratch}/changes,workdir={scratch}/work /var/lib/dpkg
sed -i '/^Package: nftables$/,/^$/d' /var/lib/dpkg/status
for known in /etc/apt /var/lib/apt/lists; do mount -t tmpfs none $known; done
"""


def test_too_little_disk(tmp_path: Path) -> None:
    tiny = with_mounts(f"mount -t tmpfs -o size=64m none {tmp_path}")

    code, text = run(*_ONE, within=tiny, env={"XDG_CACHE_HOME": str(tmp_path)})

    assert_refused(code, text, "of free disk, and there are 0.1 GiB", f"where: {tmp_path}", "or set XDG_CACHE_HOME")
    assert Registry().find(_NAME) is None


def test_too_little_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 2000000 kB\nMemAvailable: 1048576 kB\n")
    small = with_mounts(f"mount --bind {tmp_path}/meminfo /proc/meminfo")

    code, text = run(*_ONE, within=small)

    assert_refused(code, text, "of memory, and 1.0 GiB are available", "to do: end what uses the memory")
    assert Registry().find(_NAME) is None


def test_a_package_that_cannot_be_installed(tmp_path: Path) -> None:
    code, text = run(*_ONE, within=with_mounts(_WITHOUT_NFTABLES.format(scratch=tmp_path)))

    assert "installing Debian packages: nftables" in text, "it is said before it is done"
    assert_refused(code, text, "cannot be installed: nftables", "to do: see why `apt-get install nftables` fails")
    assert Registry().find(_NAME) is None


def test_another_node_of_the_same_name() -> None:
    toolchain = Toolchain(Cache.of_user())
    taken = Provider("node", "").start(_NAME, Images(toolchain.cache, toolchain), toolchain)
    try:
        code, text = run(*_ONE)

        assert_refused(code, text, f"a node called {_NAME} exists", f"--reuse-cluster {_NAME}", "gitops_e2e.clean`")
        assert Registry().get(_NAME).running, "the other node is not touched"
    finally:
        taken.delete()


def test_a_name_that_is_none() -> None:
    code, text = run("-k", "Kubernetes", "--cluster-name", "No_Name")

    assert_refused(code, text, "'No_Name' is no name for a node", "to do: use small letters")
