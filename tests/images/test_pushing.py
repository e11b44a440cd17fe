"""Debian's registry, run on loopback from where the golden root of the stack has unpacked it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed
from gitops_e2e.images import Images
from gitops_e2e.images.isolation import PRIVATE_MOUNTS
from gitops_e2e.images.pushing import push
from gitops_e2e.toolchain import Toolchain

pytestmark = pytest.mark.node

BOUND = 30.0
CONFIGURATION = """\
version: 0.1
storage: {{inmemory: {{}}}}
http: {{addr: "{address}"}}
"""
# The layer stays as it is: Debian's configuration is only covered, and only for this process.
RUN = """\
config=/etc/docker/registry/config.yml
mount --bind "$0" "$1$config" && exec /usr/sbin/chroot "$1" /usr/bin/docker-registry serve $config
"""
MANIFEST = {"Accept": "application/vnd.oci.image.manifest.v1+json"}


def unpacked_registry() -> Path:
    cache = Cache.of_user()
    root = Images(cache, Toolchain(cache)).golden_root()
    found = root.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/usr/bin/docker-registry")
    return next(found).parents[2]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = tmp_path / "config.yml"
    configuration.write_text(CONFIGURATION.format(address=address))
    process = subprocess.Popen(
        [*PRIVATE_MOUNTS, "sh", "-c", RUN, configuration, unpacked_registry()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + BOUND
        while not _answers(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/v2/", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_pushed_image_has_the_digest_of_its_archive(
    images: Images, registry: str, manifest_in: Callable[[Path], dict[str, Any]]
) -> None:
    archive = images.archive("greeting:1.0")
    push(archive, f"{registry}/demo/greeting:1.0", insecure=True)
    answer = requests.get(f"http://{registry}/v2/demo/greeting/manifests/1.0", headers=MANIFEST, timeout=5)
    assert answer.headers["Docker-Content-Digest"] == manifest_in(archive)["digest"]


def test_plain_http_is_refused_unless_it_is_allowed(images: Images, registry: str) -> None:
    with pytest.raises(CommandFailed, match="server gave HTTP response to HTTPS client"):
        push(images.archive("greeting:1.0"), f"{registry}/demo/greeting:1.0", insecure=False)
