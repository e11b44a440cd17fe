"""What the API server holds, kept in memory: one store a resource, indexed by namespace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Resource


class Key(NamedTuple):
    """Which object of a resource. The namespace of a cluster-scoped object is empty."""

    namespace: str
    name: str

    @staticmethod
    def of(manifest: Manifest) -> Key:
        """The key of an object."""
        metadata = manifest["metadata"]
        return Key(metadata.get("namespace", ""), metadata["name"])

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


@dataclass(frozen=True)
class Change:
    """What became of one object: `before` is None when it is new, `after` when it is gone."""

    before: Manifest | None
    after: Manifest | None

    @property
    def newest(self) -> Manifest:
        """The object as it is, or as it was last seen."""
        manifest = self.after or self.before
        assert manifest is not None  # noqa: S101 - a change has one side at least
        return manifest


Listener = Callable[[Change], None]


class UnknownStore(HarnessError):
    """A store was asked for that nothing fills."""


class Store:
    """The objects of one resource. Safe to share between threads; what it hands out must not be changed.

    Two sources feed it: the watch, and what this process wrote itself, so that a write can be read
    back at once. Both carry resource versions, which grow with every write of the resource
    (a guarantee of etcd-backed API servers), so older news never replaces newer.
    """

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._lock = threading.Lock()
        self._objects: dict[str, dict[str, Manifest]] = {}
        self._told = 0  # up to which resource version the watch has told everything
        self._listeners: list[Listener] = []

    # --- reading

    def get(self, key: Key) -> Manifest | None:
        """The object, or None where there is none."""
        with self._lock:
            return self._objects.get(key.namespace, {}).get(key.name)

    def list(self, namespace: str | None = None) -> list[Manifest]:
        """The objects of one namespace, or all, by name."""
        with self._lock:
            if namespace is not None:
                found = list(self._objects.get(namespace, {}).values())
            else:
                found = [manifest for names in self._objects.values() for manifest in names.values()]
        return sorted(found, key=Key.of)

    def listen(self, listener: Listener) -> None:
        """Have a function called with every change from now on; it must return soon."""
        self._listeners.append(listener)

    # --- feeding

    def written(self, manifest: Manifest) -> None:
        """Take over what the API server answered to a write of this process."""
        with self._lock:
            late = _version(manifest) <= self._told  # the watch was faster: it may even have told of the deletion
            change = None if late else self._put(manifest)
        self._tell(change)

    def watched(self, event: Manifest) -> None:
        """Take over one watch event, bookmarks included."""
        manifest = event["object"]
        with self._lock:
            self._told = max(self._told, _version(manifest))
            change = None
            if event["type"] == "DELETED":
                change = self._drop(manifest)
            elif event["type"] != "BOOKMARK":
                change = self._put(manifest)
        self._tell(change)

    def listed(self, collection: Manifest) -> None:
        """Take over a whole listing: what is not in it and is not newer than it, is gone."""
        version = _version(collection)
        changes: list[Change | None] = []
        with self._lock:
            self._told = max(self._told, version)
            present = {Key.of(manifest) for manifest in collection["items"]}
            gone = [known for known in self._all() if Key.of(known) not in present and _version(known) <= version]
            changes += [self._drop(manifest) for manifest in gone]
            changes += [self._put(manifest) for manifest in collection["items"]]
        for change in changes:
            self._tell(change)

    # --- under the lock

    def _all(self) -> Iterator[Manifest]:
        for names in self._objects.values():
            yield from names.values()

    def _put(self, manifest: Manifest) -> Change | None:
        manifest["metadata"].pop("managedFields", None)  # half of an object's size, read by nobody
        key = Key.of(manifest)
        names = self._objects.setdefault(key.namespace, {})
        before = names.get(key.name)
        if before is not None and _version(before) >= _version(manifest):
            return None
        names[key.name] = manifest
        return Change(before, manifest)

    def _drop(self, manifest: Manifest) -> Change | None:
        key = Key.of(manifest)
        names = self._objects.get(key.namespace, {})
        before = names.get(key.name)
        if before is None or _version(before) > _version(manifest):
            return None
        del names[key.name]
        return Change(before, None)

    # --- without it: a listener may read other stores

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            for listener in self._listeners:
                listener(change)


class Stores:
    """All stores, by resource. A store exists from the moment that somebody asks for it."""

    def __init__(self) -> None:
        self._stores: dict[Resource, Store] = {}
        self._sealed = False

    def of(self, resource: Resource) -> Store:
        """The store of a resource. Raises UnknownStore after `seal` for one that nobody asked for before."""
        if self._sealed and resource not in self._stores:
            raise UnknownStore(f"no informer fills a store of {resource.plural}: ask for it before the manager is made")
        return self._stores.setdefault(resource, Store(resource))

    def seal(self) -> None:
        """Allow no further stores: from now on there would be no informer for them."""
        self._sealed = True

    def __iter__(self) -> Iterator[Store]:
        return iter(tuple(self._stores.values()))

    def written(self, manifest: Manifest) -> None:
        """Hand what was written to the store of its kind, if there is one."""
        for store in self:
            if (store.resource.api_version, store.resource.kind) == (manifest.get("apiVersion"), manifest.get("kind")):
                store.written(manifest)


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
