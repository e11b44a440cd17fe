"""AWS, as moto's server has it, and nothing of the AWS that the machine's user may have."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.control_plane import free_port

_START_BOUND = 60.0


@pytest.fixture(autouse=True)
def no_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The URL of a server that has AWS's APIs; in a process of its own, as moto changes the one that it is in."""
    port = free_port()
    argv = [sys.executable, "-m", "moto.server", "--host=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await_answer(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _await_answer(port: int) -> None:
    deadline = time.monotonic() + _START_BOUND
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "moto's server does not answer"
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, moto: str) -> None:
    """An account there, and its credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
