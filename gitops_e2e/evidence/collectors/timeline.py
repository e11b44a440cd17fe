"""What happened, across all controllers."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_e2e.evidence.scene import Piece, Scene


def collect(scene: Scene) -> Iterator[Piece]:
    """The timeline of the scenario's namespaces, an entry a line."""
    entries = scene.cache.timeline.entries(*scene.namespaces) if scene.pipelines else ()
    yield Piece("timeline.jsonl", "".join(entry.as_json() + "\n" for entry in entries))
