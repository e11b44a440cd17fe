"""A real node: what runs on it, how it is reached, and that nothing but it is reached."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node.errors import NodeExists, NodeFailed, NodeNotFound, NodeUnavailable
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.toolchain import Toolchain
from tests.clusters.kit import Kit, cgroup_folders, eventually, inside, state_of, traces, unique

pytestmark = pytest.mark.node

_PORT = 8080
_ANSWER = "hello from a pod"
_SERVE = f"""
import socket
listener = socket.create_server(("", {_PORT}))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"{_ANSWER}")
    connection.close()
"""

_GET_READYZ = """
import ssl, urllib.request
unverified = ssl._create_unverified_context()
print(urllib.request.urlopen("https://10.96.0.1/readyz", context=unverified, timeout=3).status)
"""


def _ask(address: str, port: int) -> str:
    return f"""
import socket
try:
    print(socket.create_connection(("{address}", {port}), 3).recv(100).decode())
except OSError as error:
    print("refused:", error.strerror)
"""


def _pod(name: str, image: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 0},
    }


def _service(name: str, node_port: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "type": "NodePort",
            "selector": {"app": name},
            "ports": [{"port": 80, "targetPort": _PORT, "nodePort": node_port}],
        },
    }


def _run_pod(node: Node, name: str, image: str) -> Manifest:
    kube = Kube(node.kubeconfig)
    kube.apply(_pod(name, image))
    ref = Ref("v1", "Pod", name, "default")
    assert eventually(lambda: kube.get(ref)["status"]["phase"] == "Running")
    return kube.get(ref)


def _process_of(node: Node, pod: Manifest) -> int:
    """A process of the pod, by its control group."""
    uid = pod["metadata"]["uid"]
    files = (file for top in cgroup_folders(node.name) for file in top.rglob(f"*{uid}*/**/cgroup.procs"))
    return next(int(pid) for file in files for pid in file.read_text().split())


@contextmanager
def _serving(pid: int) -> Iterator[None]:
    """A server in the pod's network namespace, as the pause image has none."""
    server = subprocess.Popen(
        ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-S", "-c", _SERVE], stdout=subprocess.PIPE
    )
    assert server.stdout
    server.stdout.readline()
    try:
        yield
    finally:
        server.kill()
        server.communicate()


def test_the_node_is_a_cluster(node: Node) -> None:
    cluster: Cluster = node

    assert cluster.provider == "node"
    assert cluster.address == str(state_of(node.name).subnet.node)
    assert Kube(cluster.kubeconfig).raw("/readyz") == b"ok"


def test_a_node_that_was_started_is_ready_for_pods_and_services(node: Node) -> None:
    kube = Kube(node.kubeconfig)
    conditions = kube.get(Ref("v1", "Node", node.name))["status"]["conditions"]

    assert {"type": "Ready", "status": "True"}.items() <= next(c for c in conditions if c["type"] == "Ready").items()
    assert kube.find(Ref("v1", "ServiceAccount", "default", "default"))
    assert "200" in inside(_init(node), _GET_READYZ)
    assert node.status().ready
    node.check()


def test_a_pod_is_reached_by_node_port_and_cluster_address(node: Node, kit: Kit) -> None:
    kube = Kube(node.kubeconfig)
    pod = _process_of(node, _run_pod(node, "served", kit.pause))
    cluster_ip = kube.apply(_service("served", 30999))["spec"]["clusterIP"]

    with _serving(pod):

        def answer(pid: int, address: str, port: int) -> bool:
            return _ANSWER in inside(pid, _ask(address, port))

        assert eventually(lambda: answer(os.getpid(), node.address, 30999)), "NodePort from the machine"
        assert answer(_init(node), cluster_ip, 80), "cluster address from the node"
        assert answer(pod, cluster_ip, 80), "cluster address from the very pod behind it"
        assert answer(pod, node.address, 30999), "NodePort from a pod"


def test_pods_and_the_node_reach_nothing_else(node: Node, kit: Kit) -> None:
    machine = str(state_of(node.name).subnet.machine)
    pod = _process_of(node, _run_pod(node, "prisoner", kit.pause))

    for address in (machine, "192.0.2.1", "8.8.8.8"):
        assert "unreachable" in inside(pod, _ask(address, 53)), f"{address} from a pod"
    for address in ("192.0.2.1", "8.8.8.8"):
        assert "unreachable" in inside(_init(node), _ask(address, 53)), f"{address} from the node"


def test_the_node_sees_itself_alone(node: Node) -> None:
    seen = Path(f"/proc/{_init(node)}/root")

    assert {path.name for path in (seen / "var/lib").iterdir()} >= {"containerd", "etcd", "kubelet"}
    assert not (seen / "home").exists()
    assert (seen / "proc/sys/kernel/panic").read_text() == "10\n"
    assert Path("/proc/sys/kernel/panic").stat().st_dev != (seen / "proc/sys/kernel/panic").stat().st_dev


def test_two_nodes_run_side_by_side(node: Node, kit: Kit) -> None:
    other = kit.start(unique("other"))
    try:
        assert other.address != node.address
        for each in (node, other):
            _run_pod(each, "neighbour", kit.pause)
            assert [
                found["metadata"]["name"]
                for found in Kube(each.kubeconfig).list(Kube(each.kubeconfig).resource("v1", "Node"))
            ] == [each.name]
    finally:
        other.delete()
    node.check()


def test_images_of_archives_can_be_loaded(node: Node) -> None:
    cache = Cache.of_user()
    images = Images(cache, Toolchain(cache))
    node.load([images.archive("stress")])

    _run_pod(node, "loaded", images.reference("stress"))


def test_the_cache_may_lie_anywhere(kit: Kit, tmp_path: Path) -> None:
    """Below /tmp, which is another in the node, and in a folder whose name has a space."""
    cache = Cache(tmp_path / "a cache")
    node = kit.with_images_in(cache.root / "golden").start(unique("elsewhere"), cache)
    try:
        _run_pod(node, "pod", kit.pause)
    finally:
        node.delete()
    assert list((cache.root / "nodes").iterdir()) == []


def test_the_name_of_a_live_node_is_refused_and_attaching_finds_it(node: Node, kit: Kit) -> None:
    with pytest.raises(NodeExists) as refused:
        kit.start(node.name)

    supervisor = state_of(node.name).supervisor
    assert supervisor
    assert f"process {supervisor.pid}" in refused.value.what
    assert "--reuse-cluster" in str(refused.value)
    assert Node.attach(node.name).address == node.address
    Node.attach(node.name).check()


def test_sweeping_leaves_live_nodes_alone(node: Node) -> None:
    assert node.name not in Node.sweep()
    node.check()


def test_attaching_to_an_unknown_node_names_those_that_run(node: Node) -> None:
    with pytest.raises(NodeNotFound, match=node.name):
        Node.attach("nobody")


@pytest.mark.parametrize("name", ["", "Upper", "with_underscore", "-dash", "a" * 43])
def test_a_name_that_kubernetes_would_refuse_is_refused(name: str, kit: Kit) -> None:
    with pytest.raises(NodeFailed, match="no name for a node"):
        kit.start(name)


def test_a_missing_command_is_told_by_its_package(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(NodeUnavailable, match="containerd, iproute2"):
        kit.start(unique("missing"))


def test_deleting_leaves_nothing(kit: Kit) -> None:
    node = kit.start(unique("deleted"))
    _run_pod(node, "pod", kit.pause)
    state = state_of(node.name)
    kinds = {trace.split()[0] for trace in traces(state)}
    assert kinds == {"process", "cgroup", "interface", "route", "data", "state"}, (
        "what is looked for is there to be found"
    )

    node.delete()

    assert traces(state) == []
    node.delete()  # again is fine


@pytest.mark.parametrize(("command", "ending"), [("/usr/bin/false", "exit code 1"), ("/usr/bin/none", "No such file")])
def test_a_start_that_fails_says_what_died_and_leaves_nothing(kit: Kit, command: str, ending: str) -> None:
    name = unique("broken")
    broken = Kit({**kit.binaries, "kube-scheduler": command}, kit.golden, kit.pause)

    with pytest.raises(NodeFailed, match=rf"kube-scheduler of node .* died \(.*{ending}"):
        broken.start(name)

    assert Registry().find(name) is None
    assert cgroup_folders(name) == []


def test_a_process_that_dies_is_named_with_its_last_lines(kit: Kit) -> None:
    node = kit.start(unique("dying"))
    try:
        etcd = next(one for one in node.status().processes if one.name == "etcd")
        assert etcd.pid
        _kill_inside(node, etcd.pid)
        assert eventually(lambda: bool(node.status().died))

        with pytest.raises(NodeFailed, match=r"etcd of node .* died \(signal SIGKILL\)") as died:
            node.check()

        assert '"level":"warn"' in died.value.what
        assert (died.value.where or "").endswith("etcd.log")
    finally:
        node.delete()


def test_a_process_can_be_paused_killed_and_started_again_on_request(kit: Kit) -> None:
    node = kit.start(unique("faults"))
    try:
        kube = Kube(node.kubeconfig)
        node.signal("kube-apiserver", signal.SIGKILL)
        assert eventually(lambda: "ended" in {one.phase for one in node.status().processes})
        node.check()  # it was asked for

        node.restart("kube-apiserver")
        assert kube.raw("/readyz") == b"ok"

        node.signal("kube-scheduler", signal.SIGSTOP)
        kube.apply(_pod("waiting", kit.pause))
        node.signal("kube-scheduler", signal.SIGCONT)
        _run_pod(node, "waiting", kit.pause)
        with pytest.raises(NodeFailed, match="KeyError"):
            node.signal("nobody", signal.SIGKILL)
    finally:
        node.delete()


def _init(node: Node) -> int:
    init = state_of(node.name).init
    assert init
    return init.pid


def _kill_inside(node: Node, pid: int) -> None:
    """Kill a process by its PID in the node, behind init's back."""
    subprocess.run(["nsenter", f"--pid=/proc/{_init(node)}/ns/pid", "kill", "-KILL", str(pid)], check=True)
