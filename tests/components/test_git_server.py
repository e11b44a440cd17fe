"""The Git server over HTTPS: whom a client trusts decides, and no other failure is taken for distrust."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import pytest

from gitops_e2e.account import Account
from gitops_e2e.commands import CommandFailed
from gitops_e2e.components import git_server
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.git_server import NotTrusted, Repositories, is_distrust
from gitops_e2e.kube import Kube


@pytest.fixture
def repositories() -> Repositories:
    return Repositories(cast(Kube, None), "127.0.0.1", Account("robot", "secret"))


@pytest.fixture
def secure_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answers over HTTPS with a certificate that nobody else's authority vouches for."""
    own, file = Authority.create(), tmp_path / "server.pem"
    file.write_text(own.certificate + own.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        monkeypatch.setattr(git_server, "SECURE_NODE_PORT", server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    file = tmp_path / "stranger.pem"
    file.write_text(Authority.create().certificate)
    return file


@pytest.mark.usefixtures("secure_server")
def test_a_client_that_trusts_another_authority_is_refused(repositories: Repositories, stranger: Path) -> None:
    with pytest.raises(NotTrusted, match="certificate"):
        repositories.read_securely("shop", stranger)


@pytest.mark.usefixtures("secure_server")
def test_a_file_that_is_not_there_is_no_distrust(repositories: Repositories, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        repositories.read_securely("shop", tmp_path / "missing.pem")


def test_a_server_that_does_not_answer_is_no_distrust(
    repositories: Repositories, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_server, "SECURE_NODE_PORT", 1)
    with pytest.raises(CommandFailed):
        repositories.read_securely("shop", stranger)


@pytest.mark.parametrize(
    ("said", "distrust"),
    [
        ("server certificate verification failed. CAfile: /tmp/stranger.pem CRLfile: none", True),
        ("SSL certificate problem: unable to get local issuer certificate", True),
        ("SSL certificate problem: self-signed certificate in certificate chain", True),
        ("error setting certificate verify locations:  CAfile: /tmp/missing.pem CApath: none", False),
        ("error adding trust anchors from file: /tmp/missing.pem", False),
        ("Problem with the SSL CA cert (path? access rights?)", False),
        ("Failed to connect to git.gitops-e2e.svc.cluster.local port 30443: Connection refused", False),
    ],
)
def test_what_git_says_of_a_certificate(said: str, distrust: bool) -> None:
    assert is_distrust(f"fatal: unable to access 'https://git.example/shop.git/': {said}\n") == distrust
