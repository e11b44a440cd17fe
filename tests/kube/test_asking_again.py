"""What a server wants to be asked again, in a moment that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e.kube import Kube, KubeError, Resource
from tests.kube.forwarding_server import kubeconfig
from tests.pipeline.servers import Reply, WebServer

_PROJECTS = Resource("kargo.akuity.io/v1alpha1", "Project", "projects", namespaced=False)
_SAID = '{"kind": "Status", "code": 429, "message": "storage is (re)initializing"}'
_LATER = Reply(429, _SAID, {"Retry-After": "0"})
_NONE = Reply(200, '{"items": []}')
_KINDS = Reply(200, '{"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": false}]}')


class Server:
    """Gives its replies one after the other, and the last one from then on."""

    def __init__(self, folder: Path) -> None:
        self.replies = [_NONE]
        self.asked = 0
        self.web = WebServer(self._answer)
        self.kube = Kube(kubeconfig(folder, self.web.url))

    def _answer(self, _: str) -> Reply:
        self.asked += 1
        return self.replies[min(self.asked, len(self.replies)) - 1]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.web.stop()


def test_a_list_is_asked_for_again(server: Server) -> None:
    server.replies = [_LATER, _LATER, _NONE]
    assert server.kube.list(_PROJECTS) == []
    assert server.asked == 3


def test_not_for_ever(server: Server) -> None:
    server.replies = [_LATER]
    with pytest.raises(KubeError, match=r"cannot list projects: storage is \(re\)initializing"):
        server.kube.list(_PROJECTS)


def test_not_without_a_word_about_when(server: Server) -> None:
    server.replies = [Reply(429, _SAID), _NONE]
    with pytest.raises(KubeError, match="initializing"):
        server.kube.list(_PROJECTS)


def test_what_changes_something_is_not(server: Server) -> None:
    server.replies = [_KINDS, _LATER, _NONE]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    with pytest.raises(KubeError, match="initializing"):
        server.kube.create(namespace)
