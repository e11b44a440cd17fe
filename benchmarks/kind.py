"""How soon a kind cluster is ready: from nothing that runs of it until pods can be made, with the engine running."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figure import Figure, middle
from benchmarks.machine import name_of, tell_load, warm
from gitops_e2e.clusters.kind.cluster import Kind, Tools
from gitops_e2e.clusters.kind.node_image import make_node_image
from gitops_e2e.clusters.kind.own_engine import some_engine

_RUNS = 3


def measure() -> Iterator[Figure]:
    """The median of three starts; the engine has the node's image from before the first."""
    images = warm()
    tools, image = Tools.of(images.toolchain), make_node_image(images)
    runs = []
    with some_engine(images.cache) as engine:
        if not engine.has_image(image.reference):
            engine.load(image.archive)
        for _ in range(_RUNS):
            tell_load()
            started = time.monotonic()
            cluster = Kind.start(name_of("kind"), engine=engine, tools=tools, image=image)
            runs.append(Figure("kind_ready_s", time.monotonic() - started, "s", goal=15))
            cluster.delete()
    yield middle(runs)
