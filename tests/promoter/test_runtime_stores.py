"""Stores: writes can be read back at once, and older news never replaces newer."""

from __future__ import annotations

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.promoter.runtime import Change, Key, Store

CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)


def config_map(version: int, *, name: str = "a", namespace: str = "ns") -> Manifest:
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(version), "managedFields": []}}


def event(kind: str, version: int, **words: str) -> Manifest:
    return {"type": kind, "object": config_map(version, **words)}


def store() -> tuple[Store, list[Change]]:
    made = Store(CONFIG_MAPS)
    changes: list[Change] = []
    made.listen(changes.append)
    return made, changes


def versions(changes: list[Change]) -> list[tuple[str | None, str | None]]:
    return [(version(change.before), version(change.after)) for change in changes]


def version(manifest: Manifest | None) -> str | None:
    return str(manifest["metadata"]["resourceVersion"]) if manifest else None


def test_a_write_is_there_at_once_and_its_watch_event_is_no_second_change() -> None:
    made, changes = store()
    made.watched(event("ADDED", 1))
    made.written(config_map(5))
    made.watched(event("MODIFIED", 5))
    assert versions(changes) == [(None, "1"), ("1", "5")]


def test_an_answer_that_comes_after_the_watch_told_of_the_deletion_does_not_bring_the_object_back() -> None:
    made, changes = store()
    made.watched(event("ADDED", 1))
    made.watched(event("DELETED", 9))
    made.written(config_map(5))
    assert made.get(Key("ns", "a")) is None
    assert versions(changes) == [(None, "1"), ("1", None)]


def test_a_late_watch_event_does_not_undo_a_write() -> None:
    made, changes = store()
    made.written(config_map(5))
    made.watched(event("ADDED", 1))
    made.watched(event("DELETED", 4))
    assert made.get(Key("ns", "a")) is not None
    assert versions(changes) == [(None, "5")]


def test_a_listing_drops_what_is_gone_and_keeps_what_is_newer() -> None:
    made, changes = store()
    made.watched(event("ADDED", 1, name="gone"))
    made.watched(event("ADDED", 2, name="stays"))
    made.written(config_map(20, name="newer"))
    changes.clear()
    made.listed({"metadata": {"resourceVersion": "10"}, "items": [config_map(2, name="stays")]})
    assert [key.name for key in map(Key.of, made.list("ns"))] == ["newer", "stays"]
    assert versions(changes) == [("1", None)]


def test_objects_are_found_by_namespace() -> None:
    made, _ = store()
    made.watched(event("ADDED", 1, namespace="one"))
    made.watched(event("ADDED", 2, namespace="two"))
    assert [Key.of(manifest) for manifest in made.list("two")] == [Key("two", "a")]
    assert len(made.list()) == 2
    assert made.list("three") == []


def test_a_bookmark_changes_nothing_but_the_version() -> None:
    made, changes = store()
    made.watched({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}})
    made.written(config_map(6))
    assert made.list() == []
    assert changes == []
