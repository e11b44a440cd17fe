"""The cluster at one moment, as it was delivered: nothing in a snapshot changes any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Resource


class Blind(HarnessError):
    """Nothing can be said about a resource now: it was not listed yet, or its watch is interrupted."""


@dataclass(frozen=True)
class Place:
    """Where objects are: a resource in one namespace, or in all of them when that is None."""

    resource: Resource
    namespace: str | None


def with_whole_resources(scope: frozenset[Place]) -> frozenset[Place]:
    """The places, and those that stand for all namespaces of their resources."""
    return scope | {Place(place.resource, None) for place in scope}


@dataclass(frozen=True)
class Change:
    """What became of one object: created (`before` is None), deleted (`after` is None) or changed.

    `at` is the monotonic time of delivery, in seconds; `wall` the same moment on the clock.
    """

    resource: Resource
    namespace: str | None
    name: str
    before: Manifest | None
    after: Manifest | None
    at: float
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Collection:
    """The objects of one resource by namespace and name; `blind` says why they are not to be trusted now."""

    objects: Mapping[str, Mapping[str, Manifest]] = field(default_factory=dict)
    blind: str | None = "not listed yet"
    listed: bool = False

    def find(self, namespace: str | None, name: str) -> Manifest | None:
        """The object as it was last seen."""
        return self.objects.get(namespace or "", {}).get(name)

    def with_change(self, change: Change) -> Collection:
        """The collection after the change; what did not change is shared with this one."""
        namespace = change.namespace or ""
        objects = dict(self.objects.get(namespace, {}))
        if change.after is None:
            objects.pop(change.name, None)
        else:
            objects[change.name] = change.after
        return replace(self, objects={**self.objects, namespace: objects})


@dataclass(frozen=True)
class Snapshot:
    """All collections after one change.

    `revision` counts the changes of this cache, `at` is the monotonic time of delivery in seconds,
    `places` are where this snapshot differs from the one before. `relisted` tells that the change was seen by
    listing again, so that states in between may be missing.
    """

    revision: int
    at: float
    collections: Mapping[Resource, Collection]
    places: frozenset[Place] = frozenset()
    relisted: bool = False

    def find(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """An object, or None where there surely is none. Raises Blind."""
        return self._objects(resource, namespace).get(name)

    def all(self, resource: Resource, namespace: str | None) -> tuple[Manifest, ...]:
        """The objects of a resource in a namespace. Raises Blind."""
        return tuple(self._objects(resource, namespace).values())

    def everywhere(self, resource: Resource) -> tuple[Manifest, ...]:
        """The objects of a resource in all namespaces. Raises Blind."""
        by_namespace = self._seen(resource).objects.values()
        return tuple(manifest for objects in by_namespace for manifest in objects.values())

    def touches(self, scope: frozenset[Place]) -> bool:
        """Whether this snapshot differs from the one before in any of these places, `with_whole_resources`."""
        return not self.places.isdisjoint(scope)

    def _objects(self, resource: Resource, namespace: str | None) -> Mapping[str, Manifest]:
        return self._seen(resource).objects.get(namespace or "", {})

    def _seen(self, resource: Resource) -> Collection:
        collection = self.collections.get(resource, Collection())
        if collection.blind:
            raise Blind(f"{resource.plural} cannot be seen: {collection.blind}")
        return collection


def trimmed(manifest: Manifest, before: Manifest | None) -> Manifest:
    """The object without the bookkeeping of field managers, sharing with `before` what did not change.

    A run keeps thousands of states of objects, each of which differs from the last in a few fields.
    """
    manifest["metadata"].pop("managedFields", None)
    return _sharing(manifest, before, depth=2) if before else manifest


def _sharing(value: Any, before: Any, *, depth: int) -> Any:
    if value == before:
        return before
    if depth and isinstance(value, dict) and isinstance(before, dict):
        return {key: _sharing(item, before.get(key), depth=depth - 1) for key, item in value.items()}
    return value
