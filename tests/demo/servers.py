"""Servers that ask for a password: Git's own over HTTP, and a registry's API."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from gitops_e2e.account import Account

ACCOUNT = Account("someone", "s3cr3t-t0ken-of-someone")


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Asking(BaseHTTPRequestHandler):
    """Lets `ACCOUNT` in alone."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def lets_in(self) -> bool:
        login = base64.b64encode(f"{ACCOUNT.username}:{ACCOUNT.password}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {login}":
            return True
        self.answer(401, b'{"errors": [{"code": "UNAUTHORIZED"}]}', {"WWW-Authenticate": 'Basic realm="test"'})
        return False

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def git_server(root: Path, *, read_only: bool = False) -> Iterator[str]:
    """The bare repositories in a folder, served by `git http-backend`; pushes are let in unless it is read only."""

    class Git(_Asking):
        def do_GET(self) -> None:
            if self.lets_in():
                self._run()

        do_POST = do_GET  # noqa: N815 - the name that the handler looks for

        def _run(self) -> None:
            url = urlsplit(self.path)
            if read_only and "git-receive-pack" in self.path:
                self.answer(403, b"Write access to repository not granted.")
                return
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "REMOTE_USER": ACCOUNT.username,
                "REQUEST_METHOD": self.command,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            command = ["git", "http-backend"]
            said = subprocess.run(command, env=environment, input=body, capture_output=True, check=True).stdout
            head, _, content = said.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.answer(int(headers.pop("Status", "200").split()[0]), content, headers)

    with _serving(Git) as url:
        yield url


@dataclass
class Registry:
    """A registry's API at a URL; `images` are those it has, such as "team/api:1.0.0"."""

    images: set[str]
    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def registry(*images: str) -> Iterator[Registry]:
    """A registry that has these images."""
    made = Registry(set(images))

    class Api(_Asking):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            if not self.lets_in():
                return
            path, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
            if not path or f"{path}:{tag}" in made.images:
                self.answer(200, b"{}")
            else:
                self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')

    with _serving(Api) as made.url:
        yield made
