"""Plays recorded changes into a watch cache, as its watches would deliver them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gitops_e2e.kube import Kube, Manifest, Resource
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.watching import Change, Narrator, WatchCache

RECORDINGS = Path(__file__).parent / "pipeline/recordings"


@dataclass(frozen=True)
class Recorded:
    """One change of a recording; no object once it is gone."""

    kind: str
    namespace: str
    name: str
    object: Manifest | None


def recording(name: str) -> list[Recorded]:
    """The changes of a recording, in order."""
    return list(_recorded((RECORDINGS / f"{name}.jsonl").read_text().splitlines()))


def _recorded(lines: Iterable[str]) -> Iterator[Recorded]:
    namespaces: dict[tuple[str, str], str] = {}
    for line in lines:
        change: dict[str, Any] = json.loads(line)
        key = change["kind"], change["name"]
        if change["object"]:
            namespaces[key] = change["object"]["metadata"]["namespace"]
        yield Recorded(*key[:1], namespaces[key], key[1], change["object"])


def idle_cache(stories: Mapping[Resource, Narrator] = STORIES) -> WatchCache:
    """A cache that watches nothing by itself, and knows that nothing is there."""
    cache = WatchCache(cast(Kube, None), stories)
    for resource in stories:
        cache.take(resource, [])
        cache.see(resource, None)
    return cache


def play(cache: WatchCache, changes: Iterable[Recorded]) -> None:
    """Deliver changes."""
    kinds = {resource.kind: resource for resource in STORIES}
    for change in changes:
        put(cache, kinds[change.kind], change.namespace, change.name, change.object)


def put(
    cache: WatchCache,
    resource: Resource,
    namespace: str,
    name: str,
    manifest: Manifest | None,
    *,
    relisted: bool = False,
) -> None:
    """Deliver one state of an object."""
    before = cache.collection(resource).find(namespace, name)
    cache.take(resource, [Change(resource, namespace, name, before, manifest, time.monotonic())], relisted=relisted)
