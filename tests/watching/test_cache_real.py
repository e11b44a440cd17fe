"""The watch cache against a real API server, which is restarted, frozen and made to forget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref, Resource
from gitops_e2e.watching import (
    Blind,
    Expectation,
    Fact,
    Met,
    Pending,
    Place,
    Snapshot,
    WatchBroken,
    WatchCache,
    expect,
    expectation,
    never_was,
    passed_through,
)
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

WITHIN = 60.0
CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)
LAMPS = Resource("test.gitops-e2e.local/v1", "Lamp", "lamps", namespaced=True)
SETTINGS = Ref("v1", "ConfigMap", "settings", "default")


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    yield Fact("change", f"{_colour(before)} -> {_colour(after)}")


def _colour(manifest: Manifest | None) -> str | None:
    return manifest.get("data", {}).get("colour") if manifest else None


@dataclass(frozen=True)
class Settings:
    """A ConfigMap by name: its uid and colour."""

    cache: WatchCache
    title: str = "ConfigMap settings"
    namespaces: tuple[str, ...] = ("default",)

    @property
    def scope(self) -> frozenset[Place]:
        return frozenset({Place(CONFIG_MAPS, "default")})

    def read(self, snapshot: Snapshot) -> tuple[str, str] | Pending:
        manifest = snapshot.find(CONFIG_MAPS, "default", "settings")
        return (manifest["metadata"]["uid"], str(_colour(manifest))) if manifest else Pending("there is none")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:  # noqa: ARG002
        return []


def has(colour: str) -> Expectation[tuple[str, str]]:
    return expectation(f"is {colour}", lambda read: Met(colour) if read[1] == colour else Pending(read[1]))


def settings(colour: str) -> Manifest:
    metadata = {"name": "settings", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": colour}}


def until(so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WITHIN
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server for these tests alone, which restart it."""
    plane = ControlPlane(tmp_path_factory.mktemp("watched"))
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    kube = plane.kube()
    kube.delete(SETTINGS)
    return kube


@pytest.fixture
def cache(kube: Kube) -> Iterator[WatchCache]:
    with WatchCache(kube, {CONFIG_MAPS: narrate}) as cache:
        yield cache


def notes(cache: WatchCache) -> list[str]:
    return [entry.text for entry in cache.timeline.entries() if entry.what == "watch"]


def test_what_was_there_and_what_comes(kube: Kube) -> None:
    kube.create(settings("red"))
    with WatchCache(kube, {CONFIG_MAPS: narrate}) as cache:
        subject = Settings(cache)
        expect(subject, has("red"), within=WITHIN)
        kube.patch(SETTINGS, {"data": {"colour": "blue"}})
        uid, _ = expect(subject, has("blue"), within=WITHIN)
        kube.delete(SETTINGS)
        kube.create(settings("green"))
        new_uid, _ = expect(subject, has("green"), within=WITHIN)
        assert new_uid != uid
    changes = [entry.text for entry in cache.timeline.entries("default") if entry.name == "settings"]
    assert changes == ["None -> red", "red -> blue", "blue -> None", "None -> green"]


def test_every_state_is_delivered(kube: Kube, cache: WatchCache) -> None:
    kube.create(settings("0"))
    expect(Settings(cache), has("0"), within=WITHIN)
    start = cache.now().revision
    for number in range(1, 100):
        kube.patch(SETTINGS, {"data": {"colour": str(number)}})
    expect(Settings(cache), has("99"), within=WITHIN)
    seen = [snapshot.find(CONFIG_MAPS, "default", "settings") for snapshot in cache.after(start, within=0)]
    assert [_colour(each) for each in seen] == [str(number) for number in range(1, 100)]


def test_a_server_that_is_killed_and_comes_back(plane: ControlPlane, kube: Kube, cache: WatchCache) -> None:
    subject = Settings(cache)
    kube.create(settings("red"))
    expect(subject, has("red"), within=WITHIN)
    plane.api_server.kill()
    until(lambda: _is_blind(cache))
    plane.api_server.start()
    plane.wait_until_ready()
    kube.patch(SETTINGS, {"data": {"colour": "blue"}})
    expect(subject, has("blue"), within=WITHIN)
    assert any("no answer from the API server" in note for note in notes(cache))


def _is_blind(cache: WatchCache, resource: Resource = CONFIG_MAPS) -> bool:
    try:
        cache.now().all(resource, "default")
    except Blind:
        return True
    return False


def test_a_wait_outlives_restarts_of_the_server(plane: ControlPlane, kube: Kube, cache: WatchCache) -> None:
    kube.create(settings("red"))
    results: list[tuple[str, str]] = []
    waiter = threading.Thread(target=lambda: results.append(expect(Settings(cache), has("blue"), within=WITHIN)))
    waiter.start()
    for _ in range(2):
        plane.restart_api_server()
    kube.patch(SETTINGS, {"data": {"colour": "blue"}})
    waiter.join(WITHIN)
    assert [colour for _, colour in results] == ["blue"]


def test_a_version_that_is_too_old_is_listed_again(plane: ControlPlane, kube: Kube, cache: WatchCache) -> None:
    """Changes that the watch could not see are found by listing; that states may be missing is told."""
    subject = Settings(cache)
    kube.create(settings("red"))
    uid, _ = expect(subject, has("red"), within=WITHIN)
    plane.api_server.freeze()  # the watch hears nothing, and does not know
    hidden = ControlPlane.beside(plane)
    try:
        hidden.api_server.start()
        hidden.wait_until_ready()
        hidden.kube().delete(SETTINGS)
        hidden.kube().create(settings("short"))
        hidden.kube().patch(SETTINGS, {"data": {"colour": "blue"}})
        plane.api_server.kill()
        plane.compact()
    finally:
        hidden.api_server.kill()
    plane.api_server.start()
    new_uid, _ = expect(subject, has("blue"), within=WITHIN)
    assert new_uid != uid
    assert "listed again: states since the last one seen may be missing" in notes(cache)
    verdict = never_was(has("short")).sentence
    with pytest.raises(AssertionError, match=f"{verdict}(.|\n)*cannot be told"):
        expect(subject, never_was(has("short")), within=0)


def test_a_server_that_falls_silent(plane: ControlPlane, kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_e2e.kube.follower._WATCH_SECONDS", 1)
    monkeypatch.setattr("gitops_e2e.kube.client._WATCH_GRACE", 1.0)
    monkeypatch.setattr("gitops_e2e.kube.client._ANSWER_BOUND", 2.0)
    with WatchCache(kube, {CONFIG_MAPS: narrate}) as cache:
        until(lambda: not _is_blind(cache))
        plane.api_server.freeze()
        until(lambda: _is_blind(cache))
        plane.api_server.thaw()
        kube.create(settings("red"))
        expect(Settings(cache), has("red"), within=WITHIN)


def test_streams_that_end_in_time_lose_nothing(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_e2e.kube.follower._WATCH_SECONDS", 1)
    with WatchCache(kube, {CONFIG_MAPS: narrate}) as cache:
        kube.create(settings("0"))
        for number in range(1, 60):
            kube.patch(SETTINGS, {"data": {"colour": str(number)}})
            time.sleep(0.05)  # for about three streams
        expect(Settings(cache), has("59"), within=WITHIN)
        texts = [entry.text for entry in cache.timeline.entries("default") if entry.name == "settings"]
        assert texts == ["None -> 0", *(f"{number - 1} -> {number}" for number in range(1, 60))]


def test_connections_that_drop_lose_nothing(kube: Kube, cache: WatchCache) -> None:
    """What a load balancer or a lost network does to streams, again and again, while the server goes on."""
    kube.create(settings("0"))
    expect(Settings(cache), has("0"), within=WITHIN)
    (follower,) = cache._followers
    for number in range(1, 40):
        kube.patch(SETTINGS, {"data": {"colour": str(number)}})
        if number % 5 == 0:
            dropped = follower._watch
            assert dropped
            dropped._response.shutdown()
            until(lambda dropped=dropped: follower._watch is not dropped)  # type: ignore[misc]
    expect(Settings(cache), has("39"), within=WITHIN)
    texts = [entry.text for entry in cache.timeline.entries("default") if entry.name == "settings"]
    assert texts == ["None -> 0", *(f"{number - 1} -> {number}" for number in range(1, 40))]
    assert not any("listed again" in note for note in notes(cache))


def test_many_wait_while_the_server_comes_and_goes(plane: ControlPlane, kube: Kube, cache: WatchCache) -> None:
    """As scenarios do: each wait sees its own state, whoever else waits for what."""
    kube.create(settings("0"))
    met: dict[str, bool] = {}

    def wait_for(colour: str) -> None:
        met[colour] = expect(Settings(cache), passed_through(has(colour)), within=WITHIN)[0] != ""

    waiters = [threading.Thread(target=wait_for, args=(str(number),)) for number in range(1, 9)]
    for waiter in waiters:
        waiter.start()
    for number in range(1, 9):
        if number % 3 == 0:
            plane.restart_api_server()
        kube.patch(SETTINGS, {"data": {"colour": str(number)}})
        until(lambda number=number: (_seen(cache) or "") == str(number))  # type: ignore[misc]
    for waiter in waiters:
        waiter.join(WITHIN)
    assert sorted(met) == [str(number) for number in range(1, 9)]


def _seen(cache: WatchCache) -> str | None:
    return _colour(_find(cache, CONFIG_MAPS, "settings"))


def test_a_resource_that_comes_later(kube: Kube) -> None:
    with WatchCache(kube, {LAMPS: narrate, CONFIG_MAPS: narrate}) as cache:
        kube.create(settings("red"))
        expect(Settings(cache), has("red"), within=WITHIN)
        with pytest.raises(Blind, match="lamps cannot be seen: cannot list lamps: the API server has no such resource"):
            cache.now().all(LAMPS, "default")
        kube.create(lamp_definition())
        until(lambda: not _is_blind(cache, LAMPS))
        kube.create(
            {"apiVersion": LAMPS.api_version, "kind": "Lamp", "metadata": {"name": "a", "namespace": "default"}}
        )
        until(lambda: _find(cache, LAMPS, "a"))
        kube.delete(Ref("apiextensions.k8s.io/v1", "CustomResourceDefinition", "lamps.test.gitops-e2e.local"))
        until(lambda: not _find(cache, LAMPS, "a"))


def _find(cache: WatchCache, resource: Resource, name: str) -> Manifest | None:
    try:
        return cache.now().find(resource, "default", name)
    except Blind:
        return None


def lamp_definition() -> Manifest:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "lamps.test.gitops-e2e.local"},
        "spec": {
            "group": "test.gitops-e2e.local",
            "names": {"kind": "Lamp", "plural": "lamps", "singular": "lamp", "listKind": "LampList"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_closing_does_not_wait_for_streams(kube: Kube, cache: WatchCache) -> None:
    kube.create(settings("red"))
    expect(Settings(cache), has("red"), within=WITHIN)
    cache.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "watch configmaps"]
    assert cache.now().find(CONFIG_MAPS, "default", "settings")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_in_a_watch_is_heard_of(kube: Kube) -> None:
    def clumsy(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:  # noqa: ARG001
        yield Fact("colour", after["data"]["no such key"] if after else "")

    with WatchCache(kube, {CONFIG_MAPS: clumsy}) as cache:
        kube.create(settings("red"))
        with pytest.raises(WatchBroken, match="the watch of configmaps broke: KeyError"):
            expect(Settings(cache), has("never"), within=WITHIN)
