"""Kube against a real API server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import AlreadyExists, Expired, Kube, KubeError, Manifest, NotFound, Ref, Resource, Unreachable
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)


@pytest.fixture(scope="module")
def kube(shared_control_plane: ControlPlane) -> Kube:
    return shared_control_plane.kube()


@pytest.fixture
def namespace(kube: Kube, request: pytest.FixtureRequest) -> str:
    name: str = request.node.name.replace("_", "-").split("[")[0][:50]
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def config_map(namespace: str, name: str = "settings", **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


class TestOneObject:
    def test_create_get_delete(self, kube: Kube, namespace: str) -> None:
        created = kube.create(config_map(namespace, colour="red"))
        ref = Ref.of(created)
        assert kube.get(ref)["data"] == {"colour": "red"}
        kube.delete(ref)
        assert kube.find(ref) is None
        kube.delete(ref)

    def test_pods_are_pulled_for_by_a_secret_where_there_is_one(
        self, shared_control_plane: ControlPlane, namespace: str
    ) -> None:
        kube = Kube(shared_control_plane.kubeconfig, pull_secret="login")
        container = {"name": "shop", "image": "shop"}
        template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [container]}}
        metadata = {"name": "shop", "namespace": namespace}
        pod = kube.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
        selector = {"matchLabels": {"app": "shop"}}
        deployment = kube.apply(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata,
                "spec": {"selector": selector, "template": template},
            }
        )
        for spec in (pod["spec"], deployment["spec"]["template"]["spec"]):
            assert spec["imagePullSecrets"] == [{"name": "login"}]
        assert kube.create(config_map(namespace, "plain", a="b"))["data"] == {"a": "b"}

    def test_a_pod_that_is_evicted_goes(self, kube: Kube, namespace: str) -> None:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "shop", "namespace": namespace},
            "spec": {"containers": [{"name": "shop", "image": "shop"}], "terminationGracePeriodSeconds": 0},
        }
        ref = Ref.of(kube.create(pod))
        kube.evict(namespace, "shop")
        assert kube.find(ref) is None
        with pytest.raises(NotFound, match="cannot evict"):
            kube.evict(namespace, "shop")

    def test_a_dry_run_leaves_nothing(self, kube: Kube, namespace: str) -> None:
        would_be = kube.dry_run(config_map(namespace))
        assert would_be["metadata"]["uid"]
        assert kube.find(Ref.of(would_be)) is None
        with pytest.raises(KubeError, match="Invalid value"):
            kube.dry_run(config_map(namespace, name="No Name"))

    def test_create_without_a_name(self, kube: Kube, namespace: str) -> None:
        attributes = {"verb": "get", "resource": "configmaps", "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": "nobody", "resourceAttributes": attributes},
        }
        assert kube.create(review)["status"]["allowed"] is False
        unnamed = config_map(namespace)
        unnamed["metadata"] = {"generateName": "made-", "namespace": namespace}
        assert kube.create(unnamed)["metadata"]["name"].startswith("made-")

    def test_a_pod_without_grace_is_gone_at_once(self, kube: Kube, namespace: str) -> None:
        pod = kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "lasting", "namespace": namespace},
                "spec": {"nodeName": "nowhere", "containers": [{"name": "c", "image": "none"}]},
            }
        )
        ref = Ref.of(pod)
        kube.delete(ref)
        assert "deletionTimestamp" in kube.get(ref)["metadata"]
        kube.delete(ref, grace=0)
        assert kube.find(ref) is None

    def test_create_twice(self, kube: Kube, namespace: str) -> None:
        kube.create(config_map(namespace))
        with pytest.raises(AlreadyExists, match=f"ConfigMap settings in namespace {namespace}"):
            kube.create(config_map(namespace))

    def test_apply_creates_and_takes_fields_over(self, kube: Kube, namespace: str) -> None:
        kube.apply(config_map(namespace, colour="red", shape="round"))
        applied = kube.apply(config_map(namespace, colour="blue"))
        assert applied["data"] == {"colour": "blue"}

    def test_patch_merges(self, kube: Kube, namespace: str) -> None:
        ref = Ref.of(kube.create(config_map(namespace, colour="red", shape="round")))
        assert kube.patch(ref, {"data": {"shape": None, "size": "9"}})["data"] == {"colour": "red", "size": "9"}

    def test_patch_of_the_status(self, kube: Kube, namespace: str) -> None:
        ref = Ref("v1", "Namespace", namespace)
        condition = {"type": "NamespaceContentRemaining", "status": "True", "lastTransitionTime": None}
        patched = kube.patch(ref, {"status": {"conditions": [condition]}}, subresource="status")
        assert patched["status"]["conditions"][0]["type"] == "NamespaceContentRemaining"

    def test_what_is_refused_is_told_in_the_servers_words(self, kube: Kube, namespace: str) -> None:
        with pytest.raises(KubeError, match="a lowercase RFC 1123 subdomain") as refused:
            kube.create(config_map(namespace, name="Not A Name"))
        assert refused.value.code == 422
        assert refused.value.reason == "Invalid"

    def test_unknown_kind(self, kube: Kube) -> None:
        with pytest.raises(NotFound, match="v1 has no such kind"):
            kube.get(Ref("v1", "Nonsense", "x"))
        with pytest.raises(NotFound):
            kube.get(Ref("no.such/v1", "Nonsense", "x"))

    def test_a_namespaced_object_needs_its_namespace(self, kube: Kube) -> None:
        with pytest.raises(HarnessError, match="names no namespace"):
            kube.get(Ref("v1", "ConfigMap", "settings"))

    def test_cluster_scoped_object(self, kube: Kube) -> None:
        assert kube.get(Ref("v1", "Namespace", "default"))["metadata"]["name"] == "default"


class TestManyObjects:
    def test_list_by_namespace_and_labels(self, kube: Kube, namespace: str) -> None:
        for name, colour in [("a", "red"), ("b", "blue")]:
            labelled = config_map(namespace, name=name)
            labelled["metadata"]["labels"] = {"colour": colour}
            kube.create(labelled)
        found = kube.list(CONFIG_MAPS, namespace, "colour=blue")
        assert [(item["kind"], item["metadata"]["name"]) for item in found] == [("ConfigMap", "b")]
        everywhere = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in kube.list(CONFIG_MAPS)}
        assert {(namespace, "a"), (namespace, "b")} <= everywhere

    def test_discovery(self, kube: Kube) -> None:
        assert kube.resource("apps/v1", "ReplicaSet") == Resource("apps/v1", "ReplicaSet", "replicasets", True)
        assert kube.resource("v1", "Node").namespaced is False


class TestWatch:
    def test_events_come_one_by_one(self, kube: Kube, namespace: str) -> None:
        version = kube.collection(CONFIG_MAPS, namespace)["metadata"]["resourceVersion"]
        with kube.watch(CONFIG_MAPS, version, namespace=namespace) as watch:
            events = iter(watch)
            created = kube.create(config_map(namespace, colour="red"))
            assert next(events)["type"] == "ADDED"
            kube.patch(Ref.of(created), {"data": {"colour": "blue"}})
            changed = next(events)
            assert (changed["type"], changed["object"]["data"]) == ("MODIFIED", {"colour": "blue"})
            kube.delete(Ref.of(created))
            assert next(events)["type"] == "DELETED"

    def test_an_event_larger_than_a_chunk_is_whole(self, kube: Kube, namespace: str) -> None:
        version = kube.collection(CONFIG_MAPS, namespace)["metadata"]["resourceVersion"]
        large = "x" * 900_000
        with kube.watch(CONFIG_MAPS, version, namespace=namespace) as watch:
            kube.create(config_map(namespace, large=large))
            assert next(iter(watch))["object"]["data"]["large"] == large

    def test_the_server_ends_it_in_time(self, kube: Kube, namespace: str) -> None:
        version = kube.collection(CONFIG_MAPS, namespace)["metadata"]["resourceVersion"]
        with kube.watch(CONFIG_MAPS, version, namespace=namespace, seconds=1) as watch:
            assert [event["type"] for event in watch if event["type"] != "BOOKMARK"] == []

    def test_stop_from_another_thread(self, kube: Kube, namespace: str) -> None:
        version = kube.collection(CONFIG_MAPS, namespace)["metadata"]["resourceVersion"]
        with kube.watch(CONFIG_MAPS, version, namespace=namespace, seconds=300) as watch:
            reader = threading.Thread(target=list, args=[watch])
            reader.start()
            watch.stop()
            reader.join(10)
            assert not reader.is_alive()

    def test_unknown_resource(self, kube: Kube) -> None:
        with pytest.raises(NotFound):
            kube.watch(Resource("no.such/v1", "Nonsense", "nonsenses", namespaced=True), "1")


class TestManyThreads:
    def test_one_client_for_all(self, kube: Kube, namespace: str) -> None:
        def work(number: int) -> str:
            ref = Ref.of(kube.apply(config_map(namespace, name=f"n{number}", number=str(number))))
            kube.patch(ref, {"data": {"double": str(2 * number)}})
            return str(kube.get(ref)["data"]["double"])

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(work, range(64))) == [str(2 * number) for number in range(64)]

    def test_connections_are_reused(self, kube: Kube) -> None:
        for _ in range(20):
            kube.raw("/version")
        pools = kube._client.rest_client.pool_manager.pools
        assert sum(pools[key].num_connections for key in pools.keys()) < 100  # noqa: SIM118 (not a dict)


class TestServerAway:
    def test_unreachable_then_back(self, own_control_plane: ControlPlane) -> None:
        kube = own_control_plane.kube()
        assert kube.raw("/readyz") == b"ok"
        own_control_plane.api_server.kill()
        with pytest.raises(Unreachable, match="cannot read /readyz: no answer from the API server"):
            kube.raw("/readyz")
        own_control_plane.api_server.start()
        own_control_plane.wait_until_ready()
        assert kube.raw("/readyz") == b"ok"

    def test_a_watch_whose_server_dies(self, own_control_plane: ControlPlane) -> None:
        kube = own_control_plane.kube()
        version = kube.collection(CONFIG_MAPS)["metadata"]["resourceVersion"]
        with kube.watch(CONFIG_MAPS, version, seconds=300) as watch:
            killer = threading.Timer(0.3, own_control_plane.api_server.kill)
            killer.start()
            with pytest.raises(Unreachable):
                list(watch)
            killer.join()

    def test_a_version_that_is_too_old(self, own_control_plane: ControlPlane) -> None:
        kube = own_control_plane.kube()
        version = kube.collection(CONFIG_MAPS)["metadata"]["resourceVersion"]
        kube.create(config_map("default"))
        own_control_plane.compact()
        own_control_plane.restart_api_server()
        with pytest.raises(Expired), kube.watch(CONFIG_MAPS, version) as watch:
            next(iter(watch))

    def test_a_watch_whose_server_falls_silent(
        self, own_control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gitops_e2e.kube.client._WATCH_GRACE", 1.0)
        kube = own_control_plane.kube()
        version = kube.collection(CONFIG_MAPS)["metadata"]["resourceVersion"]
        with kube.watch(CONFIG_MAPS, version, seconds=1) as watch:
            own_control_plane.api_server.freeze()
            began = time.monotonic()
            with pytest.raises(Unreachable):
                list(watch)
            assert time.monotonic() - began < 30
        own_control_plane.api_server.thaw()
