"""Images pushed to a registry on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gitops_e2e.commands import CommandFailed
from gitops_e2e.images import Images
from gitops_e2e.images.pushing import push
from tests.local_registry import running_registry

pytestmark = pytest.mark.node

MANIFEST = {"Accept": "application/vnd.oci.image.manifest.v1+json"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with running_registry(tmp_path / "registry") as address:
        yield address


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
