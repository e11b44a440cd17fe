"""What a follower tells of one resource, taken into the cache as changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gitops_e2e.kube import KubeError, Manifest, Resource
from gitops_e2e.watching.snapshot import Change, Collection, trimmed

if TYPE_CHECKING:
    from gitops_e2e.watching.cache import WatchCache


class Watcher:
    """Keeps one resource of a cache up to date."""

    def __init__(self, resource: Resource, cache: WatchCache) -> None:
        self._resource = resource
        self._cache = cache

    def listed(self, collection: Manifest) -> None:
        """Take in what differs from what is known."""
        known = self._cache.collection(self._resource)
        found = {_key(item): item for item in collection["items"]}
        changes = [
            change
            for namespace, name in {*found, *_keys(known)}
            for change in self._changes(known.find(namespace, name), found.get((namespace, name)))
        ]
        self._cache.take(self._resource, changes, relisted=known.listed)

    def watched(self, event: Manifest) -> None:
        """Take in one change."""
        if event["type"] == "BOOKMARK":
            return
        manifest = event["object"]
        before = self._cache.collection(self._resource).find(*_key(manifest))
        changes = self._changes(before, None if event["type"] == "DELETED" else manifest)
        if changes:
            self._cache.take(self._resource, changes)

    def sees(self, blind: KubeError | None) -> None:
        """Tell that the resource is watched from now on, or why it cannot be."""
        self._cache.see(self._resource, blind)

    def broke(self, error: Exception) -> None:
        """Tell every reader of a mistake."""
        self._cache.fail(self._resource, error)

    def _changes(self, before: Manifest | None, after: Manifest | None) -> list[Change]:
        """What happened between two states: nothing, one change, or two when a name went to a new object."""
        if before and after:
            if before["metadata"]["uid"] != after["metadata"]["uid"]:
                return [*self._changes(before, None), *self._changes(None, after)]
            if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
                return []
        manifest = after or before
        if manifest is None:
            return []
        namespace, name = _key(manifest)
        after = trimmed(after, before) if after else None
        return [Change(self._resource, namespace or None, name, before, after, time.monotonic())]


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _keys(collection: Collection) -> set[tuple[str, str]]:
    return {(namespace, name) for namespace, objects in collection.objects.items() for name in objects}
