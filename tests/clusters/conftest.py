"""Nodes for tests: what one is started from, and one that several tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node import requirements
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.images import Images
from gitops_e2e.images.golden import make_golden_root
from gitops_e2e.machine.packages import require
from gitops_e2e.toolchain import Toolchain
from tests.clusters.kit import UNIQUE_NAMES, Kit


@pytest.fixture(scope="session")
def kit() -> Kit:
    """Built binaries and a containerd root that holds the pause image alone."""
    require(*requirements.PACKAGES)
    cache = Cache.of_user()
    toolchain = Toolchain(cache)
    images = Images(cache, toolchain)
    golden = make_golden_root(cache, [images.archive("pause")])
    return Kit.of(toolchain.binary, golden, images.reference("pause"))


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """Delete what a failed test left, known by its name."""
    yield
    for state in Registry().all():
        if state.name in UNIQUE_NAMES:
            Node(state, Registry()).delete()


@pytest.fixture(scope="module")
def node(kit: Kit) -> Iterator[Node]:
    """A node for tests that leave it as it is."""
    node = kit.start(f"test-{os.getpid()}")
    yield node
    node.delete()
