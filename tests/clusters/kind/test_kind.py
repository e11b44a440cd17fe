"""Real kind clusters: they start and end, side by side and beside a node, and a killed run is in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind.cluster import Kind, Tools
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import ClusterExists, ClusterNotFound, EngineUnavailable, KindFailed
from gitops_e2e.clusters.kind.node_image import OwnNodeImage, make_node_image
from gitops_e2e.clusters.kind.own_engine import own_engine, records
from gitops_e2e.clusters.kind.state import states
from gitops_e2e.commands import run
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.toolchain import Toolchain
from tests.clusters.kit import Kit, eventually

pytestmark = [pytest.mark.node, pytest.mark.kind]

_REPOSITORY = Path(__file__).parents[3]
_NAME = f"test-{os.getpid()}"
_NODE_PORT = 31999
_OWNER = """
import sys, time
from pathlib import Path
from gitops_e2e.clusters.kind.cluster import Kind, Tools
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.node_image import OwnNodeImage
name, socket, kind, kubectl, etcd, reference, archive = sys.argv[1:]
print("starting", flush=True)
tools = Tools(Path(kind), Path(kubectl), etcd)
Kind.start(name, engine=Engine(Path(socket)), tools=tools, image=OwnNodeImage(reference, Path(archive)))
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def images() -> Images:
    toolchain = Toolchain(Cache.of_user())
    return Images(toolchain.cache, toolchain)


@pytest.fixture(scope="module")
def tools(images: Images) -> Tools:
    return Tools.of(images.toolchain)


@pytest.fixture(scope="module")
def image(images: Images) -> OwnNodeImage:
    return make_node_image(images)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine that `make kind` gives."""
    engine = Engine.local()
    engine.require()
    return engine


@pytest.fixture(scope="module")
def cluster(engine: Engine, tools: Tools, image: OwnNodeImage, images: Images) -> Iterator[Kind]:
    """A cluster that tests leave as it is, with one image of the stack."""
    cluster = Kind.start(_NAME, engine=engine, tools=tools, image=image, archives=[images.archive("registry")])
    yield cluster
    cluster.delete()


def started(engine: Engine, tools: Tools, image: OwnNodeImage, name: str) -> subprocess.Popen[str]:
    """A process that says `starting`, starts a cluster, says `ready`, and lives on."""
    arguments = (name, engine.socket, tools.kind, tools.kubectl, tools.etcd, image.reference, image.archive)
    return subprocess.Popen(
        [sys.executable, "-c", _OWNER, *arguments], cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


def registry(image: str) -> list[Manifest]:
    labels = {"app": "registry"}
    container = {"name": "main", "image": image, "args": ["serve", "/etc/docker/registry/config.yml"]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "registry", "namespace": "default", "labels": labels},
            "spec": {"containers": [container]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "registry", "namespace": "default"},
            "spec": {"type": "NodePort", "selector": labels, "ports": [{"port": 5000, "nodePort": _NODE_PORT}]},
        },
    ]


def test_a_pod_of_a_loaded_image_answers_at_any_node_port(cluster: Kind, images: Images) -> None:
    kube = Kube(cluster.kubeconfig)
    for manifest in registry(images.reference("registry")):
        kube.apply(manifest)

    def answers() -> bool:
        try:
            with urlopen(f"http://{cluster.address}:{_NODE_PORT}/v2/", timeout=2):
                return True
        except HTTPError as error:
            return error.code == HTTPStatus.UNAUTHORIZED  # Debian's settings ask who one is
        except OSError:
            return False

    assert eventually(answers, 60), kube.get(Ref("v1", "Pod", "registry", "default"))["status"]


def test_it_is_found_again_by_its_name(cluster: Kind, tools: Tools) -> None:
    found = Kind.attach(cluster.name, tools)
    assert (found.address, found.kubeconfig) == (cluster.address, cluster.kubeconfig)
    found.check()


def test_a_name_that_nobody_has_is_answered_with_those_there_are(cluster: Kind, tools: Tools) -> None:
    with pytest.raises(ClusterNotFound, match=f"no kind cluster of ours called nobody.*{cluster.name}"):
        Kind.attach("nobody", tools)


def test_a_name_that_is_taken_is_refused(cluster: Kind, engine: Engine, tools: Tools, image: OwnNodeImage) -> None:
    with pytest.raises(ClusterExists, match=rf"{cluster.name} exists, held by process {os.getpid()}"):
        Kind.start(cluster.name, engine=engine, tools=tools, image=image)
    cluster.check()


def test_a_cluster_of_somebody_else_is_not_taken_for_ours(engine: Engine, tools: Tools, image: OwnNodeImage) -> None:
    """KindCluster would use it, and fail with a TypeError for want of its kubeconfig."""
    name = f"foreign-{os.getpid()}"
    label = f"--label=io.x-k8s.kind.cluster={name}"
    engine.docker("create", f"--name={name}-control-plane", label, image.reference)
    try:
        with pytest.raises(ClusterExists, match=f"{name} exists that is not ours"):
            Kind.start(name, engine=engine, tools=tools, image=image)
        assert engine.nodes(name)
    finally:
        engine.remove_nodes(name)


@pytest.mark.parametrize("moment", ["starting", "ready"])
def test_a_killed_run_is_in_nobodys_way(engine: Engine, tools: Tools, image: OwnNodeImage, moment: str) -> None:
    name = f"killed-{os.getpid()}"
    owner = started(engine, tools, image, name)
    while (word := said(owner).strip()) != moment:
        assert word, f"it ended before it said {moment!r}"
    if moment == "starting":
        assert eventually(lambda: bool(engine.nodes(name)))
    owner.send_signal(signal.SIGKILL)
    owner.wait()

    cluster = Kind.start(name, engine=engine, tools=tools, image=image)

    cluster.check()
    cluster.delete()
    assert engine.nodes(name) == []
    assert not cluster.scratch.parent.exists()
    assert states().find(name) is None


def test_what_a_killed_run_left_is_swept(engine: Engine, tools: Tools, image: OwnNodeImage) -> None:
    name = f"swept-{os.getpid()}"
    owner = started(engine, tools, image, name)
    assert (said(owner).strip(), said(owner).strip()) == ("starting", "ready")
    owner.kill()
    owner.wait()

    assert name in Kind.sweep()

    assert engine.nodes(name) == []


def test_another_runs_beside_it_and_a_node_too(
    cluster: Kind, engine: Engine, tools: Tools, image: OwnNodeImage, kit: Kit
) -> None:
    other = Kind.start(f"beside-{os.getpid()}", engine=engine, tools=tools, image=image)
    try:
        node = kit.start(f"test-beside-{os.getpid()}")
        try:
            versions = [Kube(one.kubeconfig).raw("/readyz") for one in (cluster, other, node)]
            assert versions == [b"ok"] * 3
            assert len({cluster.address, other.address, node.address}) == 3
        finally:
            node.delete()
    finally:
        other.delete()
    cluster.check()


def test_a_node_that_was_stopped_is_told(engine: Engine, tools: Tools, image: OwnNodeImage) -> None:
    cluster = Kind.start(f"stopped-{os.getpid()}", engine=engine, tools=tools, image=image)
    engine.docker("kill", f"{cluster.name}-control-plane")

    with pytest.raises(KindFailed, match=f"the node of kind cluster {cluster.name} does not run any more"):
        cluster.check()

    cluster.delete()


def test_an_engine_that_dies_is_told_and_leaves_no_record(tools: Tools, image: OwnNodeImage) -> None:
    with own_engine(Cache.of_user()) as engine:
        cluster = Kind.start(f"dying-{os.getpid()}", engine=engine, tools=tools, image=image)
        record = next(one for one in records().all() if one.engine == engine)
        assert record.dockerd
        record.dockerd.send(signal.SIGKILL)
        record.dockerd.wait(10)

        with pytest.raises(KindFailed, match="has died with its Docker engine"):
            cluster.check()
        with pytest.raises(EngineUnavailable):
            engine.require()
        cluster.delete()

    assert states().find(cluster.name) is None


def test_nothing_of_a_cluster_is_in_the_folder_of_the_run(cluster: Kind) -> None:
    cluster.check()
    assert not (_REPOSITORY / ".pytest-kind").exists()
    assert run(["git", "status", "--porcelain", ".pytest-kind"], cwd=_REPOSITORY, timeout=30).stdout == ""
