"""Kube's work in containers, on a real node."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.endpoints import Target
from gitops_e2e.clusters.node import requirements
from gitops_e2e.images import Images
from gitops_e2e.images.golden import make_golden_root
from gitops_e2e.kube import PODS, Kube, KubeError, NotFound, Ref
from gitops_e2e.machine.packages import require
from gitops_e2e.pipeline.pods import WatchedPods, are_ready, narrate
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching import WatchCache, expect
from tests.clusters.kit import Kit, eventually
from tests.kube.test_port_forward import carrying

pytestmark = pytest.mark.node

WITHIN = 60.0
SCRIPT = "echo first; echo second; exec sleep 600"


@pytest.fixture(scope="module")
def kube() -> Iterator[Kube]:
    """A node with one pod, `worker`, whose container `shell` has a shell."""
    require(*requirements.PACKAGES)
    cache = Cache.of_user()
    toolchain = Toolchain(cache)
    images = Images(cache, toolchain)
    golden = make_golden_root(cache, [images.archive("pause"), images.archive("redis")])
    node = Kit.of(toolchain.binary, golden, images.reference("pause")).start(f"test-kube-{os.getpid()}")
    try:
        kube = Kube(node.kubeconfig)
        assert eventually(lambda: kube.find(Ref("v1", "ServiceAccount", "default", "default")) is not None)
        kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "worker", "namespace": "default", "labels": {"app": "worker"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {"name": "shell", "image": images.reference("redis"), "command": ["sh", "-c", SCRIPT]}
                    ],
                },
            }
        )
        with WatchCache(kube, {PODS: narrate}) as watched:
            expect(WatchedPods(watched, "default", {"app": "worker"}), are_ready(1), within=WITHIN)
        yield kube
    finally:
        node.delete()


class TestExecute:
    def test_what_it_prints(self, kube: Kube) -> None:
        command = ["sh", "-c", "echo out; echo error >&2; cat /etc/hostname"]
        output = kube.execute("default", "worker", "shell", command)
        assert sorted(output.splitlines()) == ["error", "out", "worker"]

    def test_words_are_passed_as_they_are(self, kube: Kube) -> None:
        words = ["a b", "c&d=e", "'\"$HOME", "ü"]
        assert kube.execute("default", "worker", "shell", ["printf", "%s|", *words]) == "".join(f"{w}|" for w in words)

    def test_much_output_is_whole(self, kube: Kube) -> None:
        assert len(kube.execute("default", "worker", "shell", ["head", "-c", "3000000", "/dev/zero"])) == 3_000_000

    def test_a_command_that_fails(self, kube: Kube) -> None:
        with pytest.raises(KubeError, match=r"cannot run sh in pod worker: .*exit code 3(.|\n)*went wrong"):
            kube.execute("default", "worker", "shell", ["sh", "-c", "echo went wrong >&2; exit 3"])

    def test_a_command_that_is_not_there(self, kube: Kube) -> None:
        with pytest.raises(KubeError, match="no-such-command"):
            kube.execute("default", "worker", "shell", ["no-such-command"])

    def test_a_pod_that_is_not_there(self, kube: Kube) -> None:
        with pytest.raises(NotFound, match='pods "nobody" not found'):
            kube.execute("default", "nobody", "shell", ["true"])

    def test_a_container_that_is_not_there(self, kube: Kube) -> None:
        with pytest.raises(KubeError, match="container nothing is not valid"):
            kube.execute("default", "worker", "nothing", ["true"])

    @pytest.mark.parametrize("script", ["sleep 600", "while true; do echo; sleep 0.1; done"])
    def test_a_command_that_does_not_end(self, kube: Kube, script: str) -> None:
        began = time.monotonic()
        with pytest.raises(KubeError, match="did not end within 1 s"):
            kube.execute("default", "worker", "shell", ["sh", "-c", script], timeout=1)
        assert time.monotonic() - began < 30


class TestForward:
    def test_a_port_of_a_pod_until_the_pod_closes(self, kube: Kube) -> None:
        serve = ["redis-server", "--port", "7000", "--save", "", "--daemonize", "yes"]
        kube.execute("default", "worker", "shell", serve)
        assert eventually(lambda: self._ask(kube, 7000, b"PING\r\n", 7) == (b"+PONG\r\n", None))

        # Redis closes after QUIT: that is an end, no error.
        assert self._ask(kube, 7000, b"PING\r\nQUIT\r\n", None) == (b"+PONG\r\n+OK\r\n", None)

    def test_a_port_that_nobody_listens_at(self, kube: Kube) -> None:
        heard, error = self._ask(kube, 7001, b"PING\r\n", None)

        assert heard == b""
        assert "cannot forward to port 7001 of pod worker: " in str(error)
        assert "refused" in str(error)

    def test_a_pod_that_is_not_there(self, kube: Kube) -> None:
        with carrying(kube, Target("default", "nobody", 80)) as one:
            assert isinstance(one.end(), NotFound)

    @staticmethod
    def _ask(kube: Kube, port: int, said: bytes, length: int | None) -> tuple[bytes, Exception | None]:
        """What the worker answers, so much of it or all until it closes, and what went wrong."""
        with carrying(kube, Target("default", "worker", port)) as one:
            one.client.sendall(said)
            heard = b""
            while (length is None or len(heard) < length) and (data := one.client.recv(1024)):
                heard += data
        return heard, one.end()


class TestLogs:
    def test_all_and_the_last(self, kube: Kube) -> None:
        assert kube.logs("default", "worker", "shell") == "first\nsecond\n"
        assert kube.logs("default", "worker", "shell", tail=1) == "second\n"

    def test_there_are_none_of_before(self, kube: Kube) -> None:
        with pytest.raises(KubeError, match="previous terminated container"):
            kube.logs("default", "worker", "shell", previous=True)
