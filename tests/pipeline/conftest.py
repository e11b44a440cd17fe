"""A Git server that is a folder, real git and kustomize, and a pipeline's repository on them."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.pipeline.repository import Repository
from gitops_e2e.toolchain import Toolchain

PORTS = {"dev": 31000, "staging": 31001, "prod": 31002}
TAGS = {"redis": "8.9", "stress": "2.0"}


@dataclass(frozen=True)
class Folder:
    """Bare repositories in a folder, served by git over file paths."""

    root: Path

    def create(self, name: str) -> None:
        self.delete(name)
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.root / f"{name}.git"], timeout=10)

    def delete(self, name: str) -> None:
        shutil.rmtree(self.root / f"{name}.git", ignore_errors=True)

    def push_url(self, name: str) -> str:
        return str(self.root / f"{name}.git")


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
        adaptation = Adaptation(PipelineNames(pipeline), PORTS, TAGS)
        return Repository.create(host, adaptation, MANIFESTS, tmp_path / pipeline, kustomize)

    return make


@pytest.fixture
def repository(make_repository: Callable[[str], Repository]) -> Repository:
    return make_repository("shop")


@dataclass(frozen=True)
class Reply:
    """What a server answers; `delay` in seconds, `None` as status closes the connection without a word."""

    status: int | None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a real HTTP server on loopback that answers each path as the given function says; gives its URL.

    The clients' addresses are noted in `connections`, one a request.
    """
    servers: list[ThreadingHTTPServer] = []

    def start(reply: Callable[[str], Reply], connections: list[object] | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if connections is not None:
                    connections.append(self.client_address)
                answer = reply(self.path)
                if answer.delay:
                    ended.wait(answer.delay)
                if answer.status is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    ended = threading.Event()
    yield start
    ended.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused, nobody else gets it
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
