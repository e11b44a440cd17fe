"""Carrying connections to pods, with a stand-in for the API server and the kubelet behind it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websocket import ABNF

from gitops_e2e.clusters.existing.endpoints import Target
from gitops_e2e.kube import Kube, KubeError, NotFound, Unreachable
from tests.kube.forwarding_server import Session, echo, serving

_BOUND = 20.0
_WEB = Target("shop", "web", 8080)


class Carrying(threading.Thread):
    """`Kube.forward` at work, and the error that it ended with."""

    def __init__(self, kube: Kube, target: Target) -> None:
        super().__init__(daemon=True)
        self.client, self._ours = socket.socketpair()
        self.client.settimeout(_BOUND)
        self._kube, self._target = kube, target
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        with self._ours:
            try:
                self._kube.forward(self._target.namespace, self._target.pod, self._target.port, self._ours)
            except KubeError as error:
                self.error = error

    def end(self) -> Exception | None:
        self.join(_BOUND)
        assert not self.is_alive()
        return self.error


@contextmanager
def carrying(kube: Kube, target: Target = _WEB) -> Iterator[Carrying]:
    one = Carrying(kube, target)
    with one.client:
        yield one
    one.end()


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_what_is_sent_comes_to_the_pod_and_back_whole(tmp_path: Path) -> None:
    said = os.urandom(3_000_000)  # more than all buffers on the way hold
    with serving(tmp_path, echo) as (kube, asked), carrying(kube) as one:
        writer = threading.Thread(target=one.client.sendall, args=(said,), daemon=True)
        writer.start()
        heard = b""
        while len(heard) < len(said):
            heard += one.client.recv(65536)

    assert heard == said
    assert one.end() is None
    assert asked == ["GET /api/v1/namespaces/shop/pods/web/portforward?ports=8080 HTTP/1.1"]


def test_when_the_pod_closes_the_client_has_heard_everything(tmp_path: Path) -> None:
    said = os.urandom(1_000_000)

    def pod(session: Session) -> None:
        session.greet()
        session.send(0, said)
        session.close()

    with serving(tmp_path, pod) as (kube, _), carrying(kube) as one:
        assert read_all(one.client) == said
    assert one.end() is None


def test_when_the_client_leaves_the_pod_has_heard_everything(tmp_path: Path) -> None:
    heard: list[bytes] = []
    left = threading.Event()

    def pod(session: Session) -> None:
        session.greet()
        while (data := session.receive()) is not None:
            heard.append(data)
        left.set()

    said = os.urandom(500_000)
    with serving(tmp_path, pod) as (kube, _):
        with carrying(kube) as one:
            one.client.sendall(said)
        assert left.wait(_BOUND)
    assert b"".join(heard) == said
    assert one.end() is None


def test_a_client_that_reads_nothing_holds_the_pod_up_and_no_longer_than_it_is_there(tmp_path: Path) -> None:
    sent = 0

    def pod(session: Session) -> None:
        nonlocal sent
        session.greet()
        try:
            for _ in range(1000):
                session.send(0, bytes(100_000))
                sent += 100_000
        except OSError:
            return

    with serving(tmp_path, pod) as (kube, _):
        with carrying(kube) as one:
            one.client.recv(1)
            threading.Event().wait(0.5)
            at_first = sent
        assert one.end() is None
    assert at_first < 50_000_000


def test_a_ping_is_answered_and_no_part_of_what_is_carried(tmp_path: Path) -> None:
    answered: list[int] = []

    def pod(session: Session) -> None:
        session.greet()
        session.frame(b"there?", ABNF.OPCODE_PING)
        answered.append(session.receive_opcode())
        session.send(0, b"hello")
        session.close()

    with serving(tmp_path, pod) as (kube, _), carrying(kube) as one:
        assert read_all(one.client) == b"hello"
    assert answered == [ABNF.OPCODE_PONG]


def test_a_pod_that_does_not_listen_is_told_in_the_words_of_the_kubelet(tmp_path: Path) -> None:
    def pod(session: Session) -> None:
        session.greet()
        session.send(1, b"error forwarding port 8080 to pod web: connection refused")
        session.close()

    with serving(tmp_path, pod) as (kube, _), carrying(kube) as one:
        error = one.end()
    assert isinstance(error, KubeError)
    assert "cannot forward to port 8080 of pod web: error forwarding port 8080" in str(error)


def test_a_session_that_breaks_is_an_error(tmp_path: Path) -> None:
    with serving(tmp_path, lambda session: session.greet()) as (kube, _), carrying(kube) as one:
        assert isinstance(one.end(), Unreachable)


def test_a_pod_that_is_not_there_and_a_server_that_is_not(tmp_path: Path) -> None:
    with serving(tmp_path, echo, status=404) as (kube, _), carrying(kube) as one:
        assert isinstance(one.end(), NotFound)
    with carrying(kube) as one:
        assert isinstance(one.end(), Unreachable)


@pytest.mark.parametrize("size", [1, 125, 126, 70_000])
def test_messages_of_every_length(tmp_path: Path, size: int) -> None:
    said = os.urandom(size)
    with serving(tmp_path, echo) as (kube, _), carrying(kube) as one:
        one.client.sendall(said)
        heard = b""
        while len(heard) < size:
            heard += one.client.recv(65536)
    assert heard == said
