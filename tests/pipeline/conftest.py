"""Real git, kustomize, HTTP servers and Argo Rollouts controller, and a pipeline's repository on them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.pipeline.repository import Repository
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching import WatchCache
from tests.argo_rollouts import Kubelet, install_crds, start_controllers
from tests.control_plane import ControlPlane
from tests.pipeline.servers import Answer, Folder, Serve, WebServer

PORTS = {"dev": 31000, "staging": 31001, "prod": 31002}
IMAGES = {"redis": "elsewhere.example/library/redis:8.9", "stress": "elsewhere.example/stress:2.0"}


@pytest.fixture
def host(tmp_path: Path) -> Folder:
    root = tmp_path / "server"
    root.mkdir()
    return Folder(root)


@pytest.fixture(scope="session")
def kustomize() -> Path:
    return Toolchain(Cache.of_user()).binary("kustomize")


@pytest.fixture
def make_repository(host: Folder, kustomize: Path, tmp_path: Path) -> Callable[[str], Repository]:
    def make(pipeline: str) -> Repository:
        adaptation = Adaptation(PipelineNames(pipeline), PORTS, IMAGES)
        return Repository.create(host, adaptation, MANIFESTS, tmp_path / pipeline, kustomize)

    return make


@pytest.fixture
def repository(make_repository: Callable[[str], Repository]) -> Repository:
    return make_repository("shop")


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[WebServer] = []

    def start(answer: Answer) -> WebServer:
        servers.append(WebServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused, nobody else gets it
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(scope="session")
def rollouts_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the real Argo Rollouts controller, and no nodes."""
    plane = ControlPlane(tmp_path_factory.mktemp("rollouts"))
    try:
        plane.start()
        install_crds(plane)
        start_controllers(plane)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def kubelet(rollouts_plane: ControlPlane) -> Iterator[Kubelet]:
    kubelet = Kubelet(rollouts_plane.kube())
    kubelet.start()
    yield kubelet
    kubelet.stop()


@pytest.fixture(scope="session")
def watched(rollouts_plane: ControlPlane) -> Iterator[WatchCache]:
    with WatchCache(rollouts_plane.kube(), STORIES) as cache:
        yield cache
