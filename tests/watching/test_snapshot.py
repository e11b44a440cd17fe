from __future__ import annotations

import time
from typing import Any

import pytest

from gitops_e2e.kube import KubeError, Manifest, Resource
from gitops_e2e.watching import Blind, Change, Place, Snapshot
from gitops_e2e.watching.snapshot import Collection, trimmed, with_whole_resources
from tests.recorded import idle_cache, put

THINGS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)
OTHERS = Resource("v1", "Secret", "secrets", namespaced=True)


def thing(**data: Any) -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": data}


def quiet(_before: Manifest | None, _after: Manifest | None) -> list[Any]:
    return []


class TestSnapshots:
    def test_an_old_one_stays_as_it_was(self) -> None:
        cache = idle_cache({THINGS: quiet})
        put(cache, THINGS, "shop", "a", thing(colour="red"))
        old = cache.now()
        put(cache, THINGS, "shop", "a", thing(colour="blue"))
        put(cache, THINGS, "shop", "b", thing(colour="green"))
        put(cache, THINGS, "shop", "a", None)
        assert old.find(THINGS, "shop", "a") == thing(colour="red")
        assert len(old.all(THINGS, "shop")) == 1
        assert cache.now().find(THINGS, "shop", "a") is None
        assert cache.now().all(THINGS, "shop") == (thing(colour="green"),)

    def test_each_change_has_one(self) -> None:
        cache = idle_cache({THINGS: quiet})
        start = cache.now().revision
        for colour in ("red", "blue", "green"):
            put(cache, THINGS, "shop", "a", thing(colour=colour))
        colours = [each.find(THINGS, "shop", "a") for each in cache.after(start, within=0)]
        assert colours == [thing(colour=colour) for colour in ("red", "blue", "green")]
        assert cache.after(start + 3, within=0) == ()

    def test_what_differs_is_told(self) -> None:
        cache = idle_cache({THINGS: quiet, OTHERS: quiet})
        put(cache, THINGS, "shop", "a", thing())
        here, elsewhere = frozenset({Place(THINGS, "shop")}), frozenset({Place(THINGS, "dev"), Place(OTHERS, "shop")})
        assert cache.now().touches(here)
        assert not cache.now().touches(elsewhere)
        cache.see(THINGS, KubeError("cannot watch", {}))
        assert cache.now().touches(with_whole_resources(here))
        assert cache.now().touches(with_whole_resources(elsewhere))
        assert not cache.now().touches(with_whole_resources(frozenset({Place(OTHERS, "shop")})))


class TestBlindness:
    def test_what_was_never_listed_is_not_absent(self) -> None:
        with pytest.raises(Blind, match="configmaps cannot be seen: not listed yet"):
            Snapshot(0, 0.0, {}).find(THINGS, "shop", "a")

    def test_an_interrupted_watch_says_nothing(self) -> None:
        cache = idle_cache({THINGS: quiet})
        put(cache, THINGS, "shop", "a", thing())
        cache.see(THINGS, KubeError("cannot watch configmaps", {"message": "it is away"}))
        with pytest.raises(Blind, match="cannot watch configmaps: it is away"):
            cache.now().all(THINGS, "shop")
        cache.see(THINGS, None)
        assert cache.now().find(THINGS, "shop", "a") == thing()
        assert [entry.text for entry in cache.timeline.entries()][-2:] == [
            "cannot watch configmaps: it is away",
            "watched",
        ]


class TestTrimming:
    def test_what_did_not_change_is_shared(self) -> None:
        before: Manifest = {
            "metadata": {"uid": "1", "labels": {"a": "b"}},
            "spec": {"large": ["x"] * 9},
            "status": {"n": 1},
        }
        after = {"metadata": {"uid": "1", "labels": {"a": "b"}}, "spec": {"large": ["x"] * 9}, "status": {"n": 2}}
        shared = trimmed(after, before)
        assert shared == {**before, "status": {"n": 2}}
        assert shared["spec"] is before["spec"]
        assert shared["metadata"]["labels"] is before["metadata"]["labels"]
        assert before["status"] == {"n": 1}

    def test_field_managers_are_left_out(self) -> None:
        assert trimmed({"metadata": {"name": "a", "managedFields": [{}]}}, None) == {"metadata": {"name": "a"}}


def test_a_collection_shares_other_namespaces() -> None:
    change = Change(THINGS, "shop", "a", None, thing(), time.monotonic())
    one = Collection().with_change(change)
    two = one.with_change(Change(THINGS, "dev", "a", None, thing(), time.monotonic()))
    assert two.objects["shop"] is one.objects["shop"]
