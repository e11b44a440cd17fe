"""Pods: what they are, and what keeps them from being ready."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.kube import PODS, Manifest
from gitops_e2e.pipeline.events import EVENTS
from gitops_e2e.pipeline.pods import Container, Pod, WatchedPods, are_gone, are_ready, are_without
from gitops_e2e.pipeline.reading import has_image, tag_of
from gitops_e2e.watching import ExpectationFailed, Impossible, WatchCache, expect
from tests.recorded import idle_cache, put

OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache()


def container(state: dict[str, Any] | None = None, **status: Any) -> Manifest:
    return {"name": "api", "ready": False, "restartCount": 0, "state": state or {"running": {}}, **status}


def waiting(reason: str, message: str = "", **status: Any) -> Manifest:
    return container({"waiting": {"reason": reason, "message": message}}, **status)


def pod(name: str, *containers: Manifest, ready: bool = False, going: bool = False, scheduled: bool = True) -> Manifest:
    truth = {True: "True", False: "False"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "labels": {"app": "shop", "rollouts-pod-template-hash": "abc"},
            **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if going else {}),
        },
        "spec": {"nodeName": "node", "containers": [{"name": "api", "image": "registry:5000/shop/api:1.0.0"}]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [
                {"type": "PodScheduled", "status": truth[scheduled], "message": "" if scheduled else "no memory"},
                {"type": "Ready", "status": truth[ready]},
            ],
            "containerStatuses": list(containers),
        },
    }


def show(cache: WatchCache, *pods: Manifest) -> WatchedPods:
    for manifest in pods:
        put(cache, PODS, "shop", manifest["metadata"]["name"], manifest)
    return WatchedPods(cache, "shop", {"app": "shop"})


class TestReady:
    def test_exactly_so_many(self, cache: WatchCache) -> None:
        subject = show(cache, pod("a", ready=True), pod("b", ready=True), pod("c", ready=True, going=True))
        assert len(expect(subject, are_ready(2), within=0)) == 3
        for count in (1, 3):
            with pytest.raises(ExpectationFailed, match="2 ready, 1 going"):
                expect(subject, are_ready(count), within=0)

    def test_not_all_of_them(self, cache: WatchCache) -> None:
        subject = show(cache, pod("a", ready=True), pod("b", waiting("ContainerCreating")), pod("c", scheduled=False))
        with pytest.raises(ExpectationFailed, match="1 ready, 1 api ContainerCreating, 1 not scheduled no memory"):
            expect(subject, are_ready(3), within=0)

    def test_others_do_not_count(self, cache: WatchCache) -> None:
        other = pod("other", ready=True)
        other["metadata"]["labels"] = {"app": "other"}
        subject = show(cache, other)
        expect(subject, are_gone(), within=0)
        with pytest.raises(ExpectationFailed, match="observed: none"):
            expect(subject, are_ready(1), within=0)


class TestGone:
    def test_one_that_is_going_is_not_gone(self, cache: WatchCache) -> None:
        subject = show(cache, pod("a", going=True))
        with pytest.raises(ExpectationFailed, match="observed: 1 going"):
            expect(subject, are_gone(), within=0)
        put(cache, PODS, "shop", "a", None)
        expect(subject, are_gone(), within=0)


class TestWithout:
    def test_one_that_is_ready_is_in_service(self, cache: WatchCache) -> None:
        subject = show(cache, pod("a", ready=True), pod("b", ready=False))
        with pytest.raises(ExpectationFailed, match="observed: pod a is ready, as Kubernetes sees it"):
            expect(subject, are_without("a"), within=0)
        expect(subject, are_without("b"), within=0)


class TestTrouble:
    @pytest.mark.parametrize("reason", ["InvalidImageName"])
    def test_hopeless_at_once(self, cache: WatchCache, reason: str) -> None:
        subject = show(cache, pod("a", waiting(reason, "what it says")))
        with pytest.raises(ExpectationFailed, match=f"pod a, container api: {reason}: what it says"):
            expect(subject, are_ready(1), within=5)

    @pytest.mark.parametrize(
        ("reason", "patience"),
        [
            ("ErrImagePull", "_PULL_PATIENCE"),
            ("ImagePullBackOff", "_PULL_PATIENCE"),
            ("CreateContainerConfigError", "_CONFIG_PATIENCE"),
        ],
    )
    def test_hopeless_if_it_lasts(
        self, cache: WatchCache, monkeypatch: pytest.MonkeyPatch, reason: str, patience: str
    ) -> None:
        subject = show(cache, pod("a", waiting(reason)))
        with pytest.raises(ExpectationFailed, match="was not so within"):
            expect(subject, are_ready(1), within=0)
        monkeypatch.setattr(f"gitops_e2e.pipeline.pods.{patience}", 0.01)
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(subject, are_ready(1), within=5)

    @pytest.mark.parametrize(("restarts", "hopeless"), [(1, False), (2, True)])
    def test_crashes_are_hopeless_after_a_pause(self, restarts: int, hopeless: bool) -> None:
        crashed = Container.of(waiting("CrashLoopBackOff", "back-off", restartCount=restarts, lastState=OOM))
        trouble = crashed.trouble
        assert bool(trouble) is hopeless
        if trouble:
            assert trouble.observed == "container api: CrashLoopBackOff after OOMKilled (exit code 137): back-off"

    def test_one_that_is_going_is_in_no_trouble(self) -> None:
        assert Pod.of(pod("a", waiting("InvalidImageName"), going=True)).trouble is None
        assert Pod.of(pod("a", waiting("InvalidImageName"))).trouble == Impossible(
            "pod a, container api: InvalidImageName"
        )

    def test_an_init_container_counts(self) -> None:
        manifest = pod("a")
        manifest["status"]["initContainerStatuses"] = [{**waiting("ImagePullBackOff"), "name": "init"}]
        trouble = Pod.of(manifest).trouble
        assert trouble
        assert "container init: ImagePullBackOff" in trouble.observed


class TestStory:
    def test_a_life(self, cache: WatchCache) -> None:
        show(cache, pod("a", scheduled=False))
        show(cache, pod("a", waiting("ContainerCreating")))
        show(cache, pod("a", waiting("ErrImagePull", "not found")))
        show(cache, pod("a", waiting("ImagePullBackOff", "not found")))
        show(cache, pod("a", container(ready=True), ready=True))
        show(cache, pod("a", container(restartCount=1, lastState=OOM)))
        show(cache, pod("a", container(restartCount=1, lastState=OOM, ready=True), ready=True))
        show(cache, pod("a", container(restartCount=1, lastState=OOM, ready=True), ready=True, going=True))
        put(cache, PODS, "shop", "a", None)
        assert [entry.text for entry in cache.timeline.entries("shop") if entry.kind == "Pod"] == [
            "created for api:1.0.0",
            "scheduled to node",
            "container api: ErrImagePull: not found",
            "container api: ImagePullBackOff: not found",
            "ready",
            "not ready any more",
            "container api restarted after OOMKilled (exit code 137)",
            "ready",
            "is being ended",
            "gone",
        ]

    def test_warnings_once(self, cache: WatchCache) -> None:
        event = {
            "metadata": {"name": "a.1", "namespace": "shop"},
            "type": "Warning",
            "reason": "FailedScheduling",
            "message": "no memory",
            "involvedObject": {"kind": "Pod", "name": "a"},
        }
        put(cache, EVENTS, "shop", "a.1", event)
        put(cache, EVENTS, "shop", "a.1", {**event, "count": 2})
        put(cache, EVENTS, "shop", "a.2", {**event, "type": "Normal"})
        put(cache, EVENTS, "shop", "a.3", {**event, "lastTimestamp": "2020-01-01T00:00:00Z"})
        put(cache, EVENTS, "shop", "a.1", None)
        told = [entry for entry in cache.timeline.entries("shop") if entry.what == "warning"]
        assert [(entry.kind, entry.name, entry.text) for entry in told] == [("Pod", "a", "FailedScheduling: no memory")]


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("registry:5000/shop/api:1.0.0", "1.0.0"),
        ("registry:5000/shop/api", ""),
        ("api:1.0.0@sha256:0123", "1.0.0"),
        ("registry:5000/shop/api@sha256:0123", ""),
    ],
)
def test_tag_of_an_image(image: str, tag: str) -> None:
    assert tag_of(image) == tag


def test_an_image_is_wanted_by_tag_or_reference() -> None:
    images = ("registry:5000/shop/api:1.0.0", "redis:8.0.2")
    assert has_image(images, "1.0.0")
    assert has_image(images, "registry:5000/shop/api:1.0.0")
    assert not has_image(images, "1.0")
    assert not has_image(images, "")
