"""NodePorts on this machine's loopback, with servers of the test in the place of pods."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from gitops_e2e.clusters.existing.endpoints import SERVICES, SLICES, Target
from gitops_e2e.clusters.existing.errors import PreflightRefused
from gitops_e2e.clusters.existing.forwarding import Forwarder
from gitops_e2e.clusters.existing.listening import LOOPBACK, Listener, PortTaken
from gitops_e2e.components.workload import untold
from gitops_e2e.kube import Kube, KubeError, Manifest, Resource
from gitops_e2e.progress import shown_by
from gitops_e2e.watching.cache import WatchCache
from gitops_e2e.watching.snapshot import Blind, Change
from tests.clusters.kit import eventually
from tests.control_plane import free_port
from tests.kube.forwarding_server import echo, kubeconfig, serving

_BOUND = 10.0


class Fed(WatchCache):
    """Is told by the test what there is, instead of by watches."""

    def start(self) -> Self:
        return self

    def tell(self, resource: Resource, manifest: Manifest, *, gone: bool = False) -> None:
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        before = self.collection(resource).find(namespace, name)
        after = None if gone else manifest
        self.take(resource, [Change(resource, namespace, name, before, after, time.monotonic())])
        self.see(resource, None)

    def close(self) -> None:
        pass


class Pods:
    """Servers that say their names and what they hear; a connection is carried to the one of its target's name."""

    def __init__(self, *names: str) -> None:
        self._servers = {name: socket.create_server((LOOPBACK, 0)) for name in names}
        for name, server in self._servers.items():
            threading.Thread(target=self._accept, args=(name, server), daemon=True).start()

    def carry(self, client: socket.socket, target: Target) -> None:
        if target.pod not in self._servers:
            raise KubeError(f"cannot forward to {target.pod}", {"message": "connection refused"})
        address = self._servers[target.pod].getsockname()
        with suppress(ConnectionError), socket.create_connection(address, timeout=_BOUND) as pod:
            while data := client.recv(1024):
                pod.sendall(data)
                client.sendall(pod.recv(1024))

    def _accept(self, name: str, server: socket.socket) -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=self._answer, args=(name, connection), daemon=True).start()

    @staticmethod
    def _answer(name: str, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # a client may leave at any time
            while data := connection.recv(1024):
                connection.sendall(f"{name}: ".encode() + data)


class Said:
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        self.say(what)
        yield


@pytest.fixture
def cache(tmp_path: Path) -> Fed:
    cache = Fed(Kube(kubeconfig(tmp_path, "https://127.0.0.1:1")), {SERVICES: untold, SLICES: untold}, history=1)
    for resource in (SERVICES, SLICES):
        cache.take(resource, [])
        cache.see(resource, None)
    return cache


@contextmanager
def forwarding(cache: WatchCache, pods: Pods, *ports: int) -> Iterator[Forwarder]:
    forwarder = Forwarder(cache, pods.carry, ports)
    forwarder.start()
    try:
        yield forwarder
    finally:
        forwarder.close()


def service(port: int, name: str = "web") -> Manifest:
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"ports": [{"name": "http", "port": 80, "nodePort": port}]},
    }


def endpoints(*pods: str, service: str = "web") -> Manifest:
    return {
        "metadata": {
            "name": f"{service}-1",
            "namespace": "shop",
            "uid": service,
            "labels": {"kubernetes.io/service-name": service},
        },
        "endpoints": [{"targetRef": {"kind": "Pod", "name": pod}} for pod in pods],
        "ports": [{"name": "http", "port": 8080}],
    }


def ask(port: int) -> str:
    """What is answered over a fresh connection; raises OSError, as for any client."""
    with socket.create_connection((LOOPBACK, port), timeout=_BOUND) as connection:
        connection.sendall(b"hello")
        return connection.recv(1024).decode()


def answer(port: int) -> str | None:
    try:
        return ask(port)
    except OSError:
        return None


def free_port_of_pipelines() -> int:
    for port in range(31000, 32766):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def test_every_ready_pod_gets_connections_and_no_other(cache: Fed) -> None:
    port = free_port()
    with forwarding(cache, Pods("one", "two", "three"), port):
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one", "two"))
        assert eventually(lambda: answer(port) is not None)

        assert {ask(port) for _ in range(40)} == {"one: hello", "two: hello"}


def test_the_pods_of_this_moment_count(cache: Fed) -> None:
    port = free_port()
    with forwarding(cache, Pods("one", "two"), port):
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one"))
        assert eventually(lambda: answer(port) == "one: hello")
        cache.tell(SLICES, endpoints("two"))
        assert eventually(lambda: answer(port) == "two: hello")


def test_a_connection_stays_with_its_pod(cache: Fed) -> None:
    port = free_port()
    with forwarding(cache, Pods("one", "two"), port):
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one"))
        assert eventually(lambda: answer(port) == "one: hello")
        with socket.create_connection((LOOPBACK, port), timeout=_BOUND) as connection:
            connection.sendall(b"a")
            assert connection.recv(1024) == b"one: a"
            cache.tell(SLICES, endpoints("two"))
            assert eventually(lambda: answer(port) == "two: hello")
            connection.sendall(b"b")
            assert connection.recv(1024) == b"one: b"


def test_without_a_ready_pod_connections_are_reset_and_that_is_no_loss(cache: Fed) -> None:
    port, said = free_port(), Said()
    with shown_by(said), forwarding(cache, Pods(), port) as forwarder:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                ask(port)
            cache.tell(SERVICES, service(port))
            cache.tell(SLICES, endpoints())
        forwarder.check()
    assert said.lines == []


def test_what_cannot_be_carried_is_reset_and_told_at_the_end(cache: Fed) -> None:
    port, said = free_port(), Said()
    with shown_by(said), forwarding(cache, Pods("one"), port):
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one"))
        assert eventually(lambda: answer(port) is not None)
        cache.tell(SLICES, endpoints("gone"))
        assert eventually(lambda: answer(port) is None)
        with pytest.raises(ConnectionError):
            ask(port)
    (line,) = said.lines
    assert "2 connections were lost; the last: cannot forward to gone: connection refused" in line


def test_ports_of_pipelines_are_there_as_long_as_their_services_and_those_of_others_never(cache: Fed) -> None:
    ours, theirs = free_port_of_pipelines(), free_port()
    with forwarding(cache, Pods("one")):
        cache.tell(SLICES, endpoints("one"))
        cache.tell(SERVICES, service(theirs, name="theirs"))
        cache.tell(SERVICES, service(ours))
        assert eventually(lambda: answer(ours) == "one: hello")
        assert answer(theirs) is None
        cache.tell(SERVICES, service(ours), gone=True)
        assert eventually(lambda: answer(ours) is None)
        Listener(ours, lambda _: None).close()


def test_services_that_are_there_before_are_forwarded_from_the_start(cache: Fed) -> None:
    port = free_port_of_pipelines()
    cache.tell(SERVICES, service(port))
    cache.tell(SLICES, endpoints("one"))
    with forwarding(cache, Pods("one")):
        assert ask(port) == "one: hello"


def test_a_port_that_is_taken_is_named_and_nothing_stays_open(cache: Fed) -> None:
    taken, free = sorted((free_port(), free_port()), reverse=True)
    with socket.create_server((LOOPBACK, taken)), pytest.raises(PreflightRefused) as refused:
        Forwarder(cache, Pods().carry, [free, taken]).start()

    assert f"NodePort {taken} cannot be forwarded: port {taken} of 127.0.0.1 is not free" in str(refused.value)
    Listener(free, lambda _: None).close()


def test_a_port_that_is_taken_later_is_told_at_once_and_keeps_no_other_from_working(cache: Fed) -> None:
    port, said = free_port(), Said()
    with shown_by(said), forwarding(cache, Pods("one"), port) as forwarder:
        taken = free_port_of_pipelines()
        with socket.create_server((LOOPBACK, taken)):
            cache.tell(SERVICES, service(taken, name="taken"))
            cache.tell(SERVICES, service(port))
            cache.tell(SLICES, endpoints("one"))
            assert eventually(lambda: answer(port) == "one: hello")
            with pytest.raises(PortTaken, match=f"NodePort {taken} cannot be forwarded"):
                forwarder.check()
        cache.tell(SERVICES, service(taken, name="taken"), gone=True)
        cache.tell(SLICES, endpoints("one", "two"))
        assert eventually(lambda: not forwarder._failures)
        forwarder.check()
    assert len([line for line in said.lines if f"NodePort {taken}" in line]) == 1


def test_a_cluster_that_cannot_be_watched_is_refused_at_the_start_and_later_what_was_seen_holds(
    cache: Fed, tmp_path: Path
) -> None:
    blind = Fed(Kube(kubeconfig(tmp_path, "https://127.0.0.1:1")), {}, history=1)
    with pytest.raises(Blind):
        Forwarder(blind, Pods().carry, []).start()
    port = free_port()
    with forwarding(cache, Pods("one"), port):
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one"))
        assert eventually(lambda: answer(port) == "one: hello")
        cache.see(SLICES, KubeError("cannot watch", {"message": "no answer"}))
        assert ask(port) == "one: hello"


def test_when_it_ends_connections_end_with_it(cache: Fed) -> None:
    port, said = free_port(), Said()
    with shown_by(said):
        with forwarding(cache, Pods("one"), port):
            cache.tell(SERVICES, service(port))
            cache.tell(SLICES, endpoints("one"))
            assert eventually(lambda: answer(port) == "one: hello")
            connection = socket.create_connection((LOOPBACK, port), timeout=_BOUND)
            connection.sendall(b"a")
            assert connection.recv(1024) == b"one: a"
        with connection:
            assert connection.recv(1024) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(port)
    assert not [thread for thread in threading.enumerate() if thread.name == f"NodePort {port}"]
    assert said.lines == []


def test_by_way_of_an_api_server(cache: Fed, tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, echo) as (kube, asked):
        forwarder = Forwarder.of(kube, [port])
        forwarder._cache = cache
        forwarder.start()
        cache.tell(SERVICES, service(port))
        cache.tell(SLICES, endpoints("one"))
        assert eventually(lambda: answer(port) == "hello")
        forwarder.close()
    assert asked[-1] == "GET /api/v1/namespaces/shop/pods/one/portforward?ports=8080 HTTP/1.1"
