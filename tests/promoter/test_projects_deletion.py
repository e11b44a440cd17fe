"""A Project in use goes as a whole, with Kubernetes' own namespace controller and garbage collector at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.configuration import AtUrl, CaBundle
from gitops_e2e.promoter.admission.installation import install
from gitops_e2e.promoter.admission.registry import all_rules
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair
from gitops_e2e.promoter.api import crds
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.projects import config_controller, namespace_controller, project_controller
from gitops_e2e.promoter.promotions import ApplicationNames
from gitops_e2e.promoter.runtime import Manager, Stores, StoringKube
from gitops_e2e.promoter.stages import stage_controller
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

WAIT = 60.0
ORIGIN = {"kind": "Warehouse", "name": "main"}
IMAGE = {"repoURL": "registry.local/a", "tag": "1.0.0", "digest": f"sha256:{'a' * 64}"}
ROLLOUTS = "github.com/argoproj/argo-rollouts"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, evaluator: Evaluator, serving_keys: KeyPair) -> Iterator[Kube]:
    """An API server with its own clean-up controllers, and the engine's controllers and webhooks."""
    plane = ControlPlane(tmp_path_factory.mktemp("cluster"))
    try:
        plane.start()
        kube = plane.kube()
        crds.install(kube)
        runs = plane.module(ROLLOUTS) / "manifests/crds/analysis-run-crd.yaml"
        kube.apply({**yaml.safe_load(runs.read_text()), "status": {}})
        plane.run_controller(
            "kube-controller-manager",
            "--controllers=namespace-controller,garbage-collector-controller",
            "--leader-elect=false",
            "--secure-port=0",
        )
        with engine(plane.kubeconfig, evaluator, serving_keys):
            yield kube
    finally:
        plane.stop()


@contextmanager
def engine(kubeconfig: Path, evaluator: Evaluator, keys: KeyPair) -> Iterator[None]:
    """What of the engine has a part in a Project's end."""
    kube = StoringKube(kubeconfig, Stores())
    names = ApplicationNames(kube, evaluator)
    controllers = [
        project_controller(kube),
        namespace_controller(kube),
        config_controller(kube),
        stage_controller(kube, evaluator, names),
    ]
    manager = Manager(kube, controllers)
    with AdmissionServer(all_rules(kube, Requesters(kube), names), lambda: keys) as server:
        manager.start()
        install(kube, AtUrl(f"https://127.0.0.1:{server.port}"), CaBundle(keys.certificate))
        yield
        manager.stop(within=10)


def a_pipeline_in_use(kube: Kube, name: str) -> None:
    """A Project with a Stage that holds Freight, and a Promotion that waits."""

    def create(kind: str, of: str, **fields: object) -> Manifest:
        metadata = {"name": of, "namespace": name}
        return kube.create({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields})

    kube.create({"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": name}})
    create("ProjectConfig", name, spec={})
    create("Warehouse", "main", spec={"subscriptions": [{"image": {"repoURL": IMAGE["repoURL"]}}]})
    request = {"origin": ORIGIN, "sources": {"direct": True}}
    steps = [{"uses": "compose-output", "config": {"v": 1}}]
    create("Stage", "dev", spec={"requestedFreight": [request], "promotionTemplate": {"spec": {"steps": steps}}})
    freight = create("Freight", "any", origin=ORIGIN, images=[IMAGE])["metadata"]["name"]
    collection = {"id": "x", "items": {"Warehouse/main": {"name": freight, "origin": ORIGIN}}}
    dev = Ref(API_VERSION, "Stage", "dev", name)
    kube.patch(dev, {"status": {"freightHistory": [collection]}}, subresource="status")
    create("Promotion", "dev.waits", spec={"stage": "dev", "freight": freight, "steps": steps})
    until(lambda: kube.get(dev)["metadata"].get("finalizers"))
    until(lambda: kube.get(Ref("v1", "Namespace", name))["metadata"].get("ownerReferences"))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["Project", "Namespace"])
def test_everything_goes_whichever_is_deleted(cluster: Kube, kind: str) -> None:
    name = f"goes-by-{kind.lower()}"
    a_pipeline_in_use(cluster, name)
    project, namespace = Ref(API_VERSION, "Project", name), Ref("v1", "Namespace", name)
    cluster.delete(project if kind == "Project" else namespace)
    until(lambda: cluster.find(project) is None and cluster.find(namespace) is None)


def test_promotions_go_with_their_stage(cluster: Kube) -> None:
    a_pipeline_in_use(cluster, "keeps-running")
    cluster.delete(Ref(API_VERSION, "Stage", "dev", "keeps-running"))
    waiting = Ref(API_VERSION, "Promotion", "dev.waits", "keeps-running")
    until(lambda: cluster.find(waiting) is None)
