"""A pipeline's life against a real API server, without Argo CD: the tests do what its controllers would."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.account import Account
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Manifest, NotFound, Ref
from gitops_e2e.pipeline import changes, removal
from gitops_e2e.pipeline.kargo import PROJECTS
from gitops_e2e.pipeline.names import STAGES, InvalidPipelineId
from gitops_e2e.pipeline.node_ports import NodePorts, NoFreeNodePorts
from gitops_e2e.pipeline.pipeline import Pipeline
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.removal import NamesTaken, PipelineNotRemoved
from gitops_e2e.promoter.api import crds
from gitops_e2e.watching import WatchCache
from tests.clusters.kit import eventually
from tests.control_plane import ControlPlane
from tests.pipeline.servers import Folder

pytestmark = pytest.mark.node


@dataclass
class Published:
    """An image registry that only remembers; `broken` makes it refuse."""

    images: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    def reference(self, image: str) -> str:
        return {"redis": "elsewhere.example/library/redis:8.9", "stress": "gitops-e2e.local/stress:2.0"}[image]

    def publish(self, repository: str, image: str, tag: str, *, as_tag: str = "") -> None:
        if self.broken:
            raise HarnessError("the registry is full")
        self.images.append((repository, image, as_tag or tag))

    def withdraw(self, repository: str, tag: str) -> None:
        self.images = [each for each in self.images if (each[0], each[2]) != (repository, tag)]


def await_served(kube: Kube, *kinds: str) -> None:
    """A resource is served a moment after its definition was accepted."""
    deadline = time.monotonic() + 30
    for kind in kinds:
        while True:
            try:
                kube.list(kube.resource("argoproj.io/v1alpha1", kind), "argocd")
                break
            except KubeError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    plane = ControlPlane(tmp_path_factory.mktemp("pipeline"))
    try:
        plane.start()
        kube = plane.kube()
        for crd in (plane.module("github.com/argoproj/argo-cd/v3") / "manifests/crds").glob("*-crd.yaml"):
            kube.apply(yaml.load(crd.read_text(), Loader=yaml.CSafeLoader))
        await_served(kube, "Application", "ApplicationSet")
        for namespace in ("gitops-e2e", "argocd"):
            kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        plane.run_controller(
            "kube-controller-manager",
            "--leader-elect=false",
            "--controllers=namespace-controller,garbage-collector-controller",
            "--secure-port=0",
        )
        yield kube
    finally:
        plane.stop()


@pytest.fixture(scope="module")
def cache(kube: Kube) -> Iterator[WatchCache]:
    """Nothing is watched: only what the pipeline does is tested here."""
    with WatchCache(kube, {}) as cache:
        yield cache


@pytest.fixture
def images() -> Published:
    return Published()


@pytest.fixture
def platform(
    kube: Kube, cache: WatchCache, host: Folder, images: Published, kustomize: Path, tmp_path: Path
) -> Platform:
    return Platform(kube, cache, "10.0.0.7", host, images, Account("robot", "secret"), kustomize, tmp_path)


@pytest.fixture
def pipeline(platform: Platform) -> Iterator[Pipeline]:
    pipeline = Pipeline.create(platform, "shop")
    yield pipeline
    pipeline.delete()


def application_set(pipeline: str) -> Ref:
    return Ref("argoproj.io/v1alpha1", "ApplicationSet", pipeline, "argocd")


def application_ref(pipeline: Pipeline, stage: str) -> Ref:
    return Ref("argoproj.io/v1alpha1", "Application", pipeline.names.application(stage), "argocd")


def application(pipeline: Pipeline, stage: str) -> Manifest:
    """The Application that the ApplicationSet controller would make, with its owner and Argo CD's finalizer."""
    owner = pipeline.platform.kube.get(application_set(pipeline.names.id))
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    ref = application_ref(pipeline, stage)
    spec: dict[str, Any] = owner["spec"]["template"]["spec"]
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"], "controller": True}],
        },
        "spec": spec,
    }


def test_argo_cd_is_let_into_a_private_repository_for_as_long_as_the_pipeline_is_there(platform: Platform) -> None:
    login = Ref("v1", "Secret", "vault-repository", "argocd")
    pipeline = Pipeline.create(platform, "vault", private=True)
    try:
        data = platform.kube.get(login)["data"]
        source = platform.kube.get(application_set("vault"))["spec"]["template"]["spec"]["source"]
        assert base64.b64decode(data["url"]).decode() == source["repoURL"]
        assert base64.b64decode(data["password"]).decode() == "secret"
        assert platform.repositories.push_url("private/vault") == pipeline.repository.git.run(
            "remote", "get-url", "origin"
        )
    finally:
        pipeline.delete()
    assert platform.kube.find(login) is None


def test_a_new_pipeline_asks_for_the_baseline_in_every_stage(pipeline: Pipeline, images: Published) -> None:
    assert {stage: pipeline.branch(stage).image_tag() for stage in STAGES} == dict.fromkeys(STAGES, "0.9.0")
    assert images.images == [
        ("shop/product-api", "product-api", "0.9.0"),
        ("shop/product-api", "product-api", "1.0.0"),
        ("shop/stress", "stress", "2.0"),
    ]


def test_its_application_set_deploys_every_stage(pipeline: Pipeline, kube: Kube) -> None:
    spec = kube.get(application_set(pipeline.names.id))["spec"]
    assert spec["generators"][0]["list"]["elements"] == [{"stage": stage} for stage in STAGES]
    assert spec["template"]["spec"]["source"]["repoURL"] == "https://git.gitops-e2e.svc.cluster.local/shop.git"


def test_its_services_are_at_the_node_ports_it_claimed(pipeline: Pipeline) -> None:
    for stage in STAGES:
        services = [each for each in pipeline.branch(stage).manifests() if each["kind"] == "Service"]
        (port,) = (each["spec"]["ports"][0]["nodePort"] for each in services if each["spec"]["type"] == "NodePort")
        assert pipeline.endpoint(stage).url == f"http://10.0.0.7:{port}"


def test_only_wanted_stages_are_deployed(platform: Platform, kube: Kube) -> None:
    pipeline = Pipeline.create(platform, "one-stage", stages=["prod"], versions=["0.9.0"])
    try:
        spec = kube.get(application_set("one-stage"))["spec"]
        assert spec["generators"][0]["list"]["elements"] == [{"stage": "prod"}]
        assert pipeline.branch("prod").image_tag() == "0.9.0"
        assert pipeline.repository.git.find("refs/remotes/origin/stage/dev") is None
    finally:
        pipeline.delete()


def test_changes_are_made_before_anything_is_deployed(platform: Platform) -> None:
    pipeline = Pipeline.create(platform, "changed", stages=["prod"], changes=[changes.no_stress_sidecar()])
    try:
        assert [entry.subject for entry in pipeline.repository.main().log()] == [
            "Take the stress sidecar out of prod",
            "Pipeline changed",
        ]
        (rollout,) = (each for each in pipeline.branch("prod").manifests() if each["kind"] == "Rollout")
        assert len(rollout["spec"]["template"]["spec"]["containers"]) == 2
    finally:
        pipeline.delete()


def test_a_release_is_a_commit_and_argo_cd_is_told(pipeline: Pipeline, kube: Kube) -> None:
    kube.create(application(pipeline, "prod"))
    release = pipeline.release("prod", "1.0.0")
    assert (release.stage, release.version) == ("prod", "1.0.0")
    assert release.commit == pipeline.branch("prod").head()
    assert pipeline.branch("prod").image_tag() == "1.0.0"
    annotations = kube.get(application_ref(pipeline, "prod"))["metadata"]["annotations"]
    assert annotations == {"argocd.argoproj.io/refresh": "normal"}


def test_a_release_to_a_stage_that_is_not_deployed_says_so(pipeline: Pipeline) -> None:
    with pytest.raises(NotFound, match="Application shop-prod"):
        pipeline.release("prod", "1.0.0")


def test_delete_leaves_nothing(platform: Platform, kube: Kube, host: Folder) -> None:
    pipeline = Pipeline.create(platform, "gone")
    for stage in STAGES:
        kube.create(application(pipeline, stage))
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"gone-{stage}"}})
    pipeline.delete()
    assert kube.find(application_set("gone")) is None
    for stage in STAGES:
        assert kube.find(application_ref(pipeline, stage)) is None
        assert kube.find(Ref("v1", "Namespace", f"gone-{stage}")) is None
    assert list(host.root.iterdir()) == []
    assert not pipeline.folder.exists()
    pipeline.delete()


def test_a_deleted_pipelines_ports_are_free(platform: Platform) -> None:
    pipeline = Pipeline.create(platform, "gone")
    pipeline.delete()
    assert NodePorts(platform.kube).claim("next") == pipeline.node_ports
    NodePorts(platform.kube).release("next")


def test_a_sweep_removes_every_pipeline_that_a_killed_run_left(platform: Platform, host: Folder, kube: Kube) -> None:
    Pipeline.create(platform, "one")
    Pipeline.create(platform, "two", private=True)

    assert removal.sweep(kube, host) == ["one", "two"]

    assert list(host.root.glob("**/*.git")) == []
    assert kube.find(application_set("one")) is None
    assert removal.sweep(kube, host) == []


def test_a_sweep_removes_a_run_s_projects_that_have_no_node_ports(kube: Kube) -> None:
    (definition,) = (each for each in crds.manifests() if each["spec"]["names"]["kind"] == PROJECTS.kind)
    labelled = Kube(kube.kubeconfig, labels={"owner": "run"})
    assert removal.sweep(labelled, None) == []  # the kind is not there
    kube.apply(definition)
    assert eventually(lambda: PROJECTS in kube.deletable(), 30)
    for each, name in ((labelled, "ours"), (kube, "theirs")):
        each.create({"apiVersion": PROJECTS.api_version, "kind": PROJECTS.kind, "metadata": {"name": name}})

    assert removal.sweep(labelled, None) == ["ours"]

    assert [each["metadata"]["name"] for each in kube.list(PROJECTS)] == ["theirs"]


def test_a_pipeline_takes_no_namespace_of_somebody_else(platform: Platform, kube: Kube) -> None:
    theirs = kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine-dev"}})
    labelled = Kube(kube.kubeconfig, labels={"owner": "run"})

    with pytest.raises(NamesTaken, match="the cluster has Namespace mine-dev already"):
        Pipeline.create(replace(platform, kube=labelled), "mine")

    assert kube.get(Ref.of(theirs))["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert "mine" not in NodePorts(kube).claimants()


def test_argo_cd_that_does_not_trust_the_git_server_is_told_not_to_ask(platform: Platform, kube: Kube) -> None:
    pipeline = Pipeline.create(replace(platform, trusts_git=False), "doubted")

    secret = kube.get(Ref("v1", "Secret", "doubted-repository", "argocd"))

    assert base64.b64decode(secret["data"]["insecure"]) == b"true"
    pipeline.delete()


def test_what_cannot_be_removed_is_named(platform: Platform, kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline.create(platform, "stuck", stages=["dev"])
    stuck = application(pipeline, "dev")
    stuck["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    kube.create(stuck)
    with monkeypatch.context() as short:
        short.setattr(removal, "_BOUND", 1.0)
        with pytest.raises(PipelineNotRemoved, match="still there after 1 s: Application stuck-dev"):
            pipeline.delete()
    kube.patch(application_ref(pipeline, "dev"), {"metadata": {"finalizers": None}})
    pipeline.delete()


def test_a_pipeline_that_cannot_be_made_leaves_nothing(
    platform: Platform, images: Published, host: Folder, kube: Kube
) -> None:
    images.broken = True
    with pytest.raises(HarnessError, match="the registry is full"):
        Pipeline.create(platform, "half")
    assert list(host.root.iterdir()) == []
    assert kube.find(application_set("half")) is None
    images.broken = False
    Pipeline.create(platform, "half").delete()


def test_a_pipeline_exists_once_and_the_second_one_does_no_harm(pipeline: Pipeline, platform: Platform) -> None:
    with pytest.raises(NoFreeNodePorts, match="pipeline shop"):
        Pipeline.create(platform, "shop")
    assert pipeline.branch("dev").image_tag() == "0.9.0"


def test_an_id_that_is_none_makes_nothing(platform: Platform, host: Folder) -> None:
    with pytest.raises(InvalidPipelineId):
        Pipeline.create(platform, "No Id")
    assert list(host.root.iterdir()) == []
