"""pytest-kind's KindCluster as it is driven here, with a command in kind's place; each test is of one of its traps."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gitops_e2e.clusters.kind import cluster, driver
from gitops_e2e.clusters.kind.cluster import Kind, Tools, drive
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import KindFailed, KindUnavailable
from gitops_e2e.clusters.kind.state import KindState
from gitops_e2e.clusters.records import Records

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]
"""
KIND = """\
#!/bin/sh
echo "$@" >> {log}
echo "kind says: $1 $2"
case "$1 $2" in
"create cluster") cp {kubeconfig} {state}/kubeconfig ;;
esac
{more}
"""


@dataclass(frozen=True)
class World:
    """A cluster of that state, and a command that plays kind and writes down what it is asked."""

    folder: Path
    state: KindState
    tools: Tools

    def kind_does(self, more: str) -> None:
        (self.folder / "config").write_text(KUBECONFIG)
        text = KIND.format(log=self.folder / "log", kubeconfig=self.folder / "config", state=self.state.data, more=more)
        self.tools.kind.write_text(text)
        self.tools.kind.chmod(0o755)

    def asked(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def drive(self, verb: str, seconds: float = 30) -> None:
        drive(verb, self.state, self.tools, timeout=seconds, image="node:1", config="/etc/kind.json")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    (tmp_path / "docker.sock").touch()
    state = KindState("one", Engine(tmp_path / "docker.sock"), tmp_path / "data", owner=None, demo_ports=False)
    state.data.mkdir()
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\n")
    world = World(tmp_path, state, Tools(tmp_path / "kind", kubectl, etcd="v1"))
    world.kind_does("")
    return world


def test_a_cluster_is_created_with_our_image_configuration_and_kubeconfig(world: World) -> None:
    world.drive("create")

    kubeconfig = world.state.kubeconfig
    create = f"create cluster --name=one --kubeconfig={kubeconfig} --image=node:1 --config /etc/kind.json"
    assert world.asked() == ["get clusters", create]


def test_a_cluster_is_deleted(world: World) -> None:
    world.drive("delete")

    assert world.asked() == [f"delete cluster --name=one --kubeconfig={world.state.kubeconfig}"]


def test_its_folder_is_with_the_cluster_and_not_where_the_run_is(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    world.drive("create")

    assert list((tmp_path / "here").iterdir()) == []
    assert (world.state.data / ".pytest-kind/one").is_dir()


def test_what_kind_says_is_not_printed(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.drive("create")

    assert "kind says" not in "".join(capfd.readouterr())


def test_what_kind_says_of_a_failure_is_in_the_error(world: World) -> None:
    world.kind_does('test "$1" = get || { echo "no space left" >&2; exit 1; }')

    with pytest.raises(KindFailed, match=r"kind cannot create cluster one: (.|\n)*no space left"):
        world.drive("create")


def test_an_engine_that_has_gone_explains_every_failure(world: World) -> None:
    world.kind_does("exit 1")
    world.state.engine.socket.unlink()

    with pytest.raises(KindFailed, match=rf"cannot create cluster one: no Docker engine listens at {world.folder}"):
        world.drive("create")


def test_a_kind_that_hangs_is_ended(world: World, tmp_path: Path) -> None:
    world.kind_does(f"echo $$ > {tmp_path}/pid; sleep 600")

    with pytest.raises(KindFailed):
        world.drive("create", seconds=5)

    assert str(tmp_path / "kind") not in commands()


def test_no_old_kind_is_downloaded_in_the_place_of_one_that_is_missing(world: World, asked_for: list[str]) -> None:
    world.tools.kind.unlink()

    with pytest.raises(KindFailed):
        world.drive("create")

    assert asked_for == []
    assert not world.tools.kind.exists()


def test_pytest_kind_downloads_one_by_itself(world: World, asked_for: list[str]) -> None:
    """The trap is there: the test before this one is of something."""
    script = "import sys; from pathlib import Path; from pytest_kind import KindCluster;"
    script += "KindCluster('one', kind_path=Path(sys.argv[1])).create()"
    argv = [sys.executable, "-c", script, str(world.tools.kind.with_name("gone"))]
    subprocess.run(argv, cwd=world.state.data, capture_output=True, check=False, timeout=30)

    assert asked_for == ["/kind"]


def test_without_the_extra_it_is_said_what_to_install(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = world.folder / "site/pytest_kind"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'pytest_kind'\")")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))

    with pytest.raises(KindUnavailable, match=r"pytest-kind is not installed.*\n.*pip install 'gitops-e2e\[kind\]'"):
        world.drive("create")


def test_the_request_survives_the_way_to_the_other_process() -> None:
    request = driver.Request("one", "/kind", "/kubectl", "/config", image="i")
    assert driver.Request.from_json(request.to_json()) == request


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was asked of the place that pytest-kind downloads from."""
    paths: list[str] = []

    class Place(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Place) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("KIND_DOWNLOAD_URL", f"http://127.0.0.1:{server.server_port}/kind")
        yield paths
        server.shutdown()


def commands() -> str:
    """The commands of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return "\n".join(found)


def test_what_kind_does_not_delete_is_removed_without_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(world.folder / "records", KindState.from_json)
    monkeypatch.setattr(cluster, "states", lambda: records)
    records.save(world.state)
    world.kind_does("exit 1")

    with pytest.raises(KindFailed, match="kind cannot delete cluster one"):
        Kind(world.state, world.tools).delete()

    assert records.find("one") is None
    assert not world.state.data.exists()
