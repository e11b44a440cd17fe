"""Which releases the registry had."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.pipeline.names import SERVICE


def collect(scene: Scene) -> Iterator[Piece]:
    """The tags in each pipeline's image repository. Raises CommandFailed where there is none."""
    lines = []
    for names in scene.pipelines:
        repository = names.image_path(SERVICE)
        lines.append(f"{scene.registry.place}/{repository}\n  {' '.join(scene.registry.tags(repository))}\n")
    yield Piece("registry-tags.txt", "".join(lines))
