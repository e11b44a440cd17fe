"""Servers for tests: a Git server that is a folder, and an HTTP server that answers as a function says."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gitops_e2e.commands import run


@dataclass(frozen=True)
class Folder:
    """Bare repositories in a folder, served by git over file paths."""

    root: Path

    @property
    def access(self) -> Mapping[str, str]:
        return {}

    def create(self, name: str) -> None:
        self.delete(name)
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.root / f"{name}.git"], timeout=10)

    def delete(self, name: str) -> None:
        shutil.rmtree(self.root / f"{name}.git", ignore_errors=True)

    def push_url(self, name: str) -> str:
        return str(self.root / f"{name}.git")

    def hook(self, name: str, event: str, script: str) -> None:
        file = self.root / f"{name}.git/hooks/{event}"
        file.write_text(script)
        file.chmod(0o755)

    def unhook(self, name: str) -> None:
        for file in (self.root / f"{name}.git/hooks").iterdir():
            file.unlink()


@dataclass(frozen=True)
class Reply:
    """What a server answers; `delay` in seconds, `None` as status closes the connection without a word."""

    status: int | None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


Answer = Callable[[str], Reply]
"""A path's reply."""


class WebServer:
    """A real HTTP server on loopback. `clients` are the addresses that asked, `logins` what they log in with; one each
    a request.
    """

    def __init__(self, answer: Answer) -> None:
        clients: list[object] = []
        logins: list[str] = []
        ending = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                clients.append(self.client_address)
                logins.append(self.headers.get("Authorization", ""))
                reply = answer(self.path)
                ending.wait(reply.delay)
                if reply.status is None:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body.encode())

            do_POST = do_GET  # noqa: N815 - the name that the handler looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.clients = clients
        self.logins = logins
        self._ending = ending
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()


Serve = Callable[[Answer], WebServer]
