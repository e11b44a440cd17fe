"""Which releases the registry had."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.pipeline.names import SERVICE

_BOUND = 5.0


def collect(scene: Scene) -> Iterator[Piece]:
    """The tags in each pipeline's image repository."""
    lines = []
    for names in scene.pipelines:
        url = f"http://{scene.registry}/v2/{names.image_path(SERVICE)}/tags/list"
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between the harness and the cluster
            lines.append(f"{url}\n  {session.get(url, timeout=_BOUND).text.strip()}\n")
    yield Piece("registry-tags.txt", "".join(lines))
