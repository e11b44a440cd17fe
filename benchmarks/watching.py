"""How soon an expectation is met once the cluster is as expected."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.figure import Figure
from benchmarks.machine import stack, tell_load
from gitops_e2e.harness import Harness
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline.replica_sets import REPLICA_SETS, REVISION, ReplicaSet
from gitops_e2e.progress import say
from gitops_e2e.watching import Expectation, Met, Pending, Place, Snapshot, WatchCache, expect, expectation

_CHANGES = 100
_WITHIN = 30.0
_NAMESPACE, _NAME = "default", "watched"
_REF = Ref(REPLICA_SETS.api_version, REPLICA_SETS.kind, _NAME, _NAMESPACE)


@dataclass(frozen=True)
class _Watched:
    """A ReplicaSet that only this benchmark changes."""

    cache: WatchCache
    title: str = f"ReplicaSet {_NAME}"
    namespaces: tuple[str, ...] = (_NAMESPACE,)
    scope: frozenset[Place] = frozenset({Place(REPLICA_SETS, _NAMESPACE)})

    def read(self, snapshot: Snapshot) -> ReplicaSet | Pending:
        manifest = snapshot.find(REPLICA_SETS, _NAMESPACE, _NAME)
        return ReplicaSet.of(manifest) if manifest else Pending("there is none")

    def conditions(self, _snapshot: Snapshot) -> Sequence[str]:
        return []


def measure() -> Iterator[Figure]:
    """The median of 100 changes of one object on a ready stack, all of whose objects are watched.

    Each is from the API server's answer to the request that changed the object, to the return of the expectation of
    what it was changed to: what somebody waits for nothing. In milliseconds.
    """
    with stack("watching") as harness:
        tell_load()
        waited = latencies(harness, _CHANGES)
        say(f"  from {min(waited):.1f} to {max(waited):.1f} ms")
        yield Figure("watch_latency_ms", median(waited), "ms", goal=100)


def latencies(harness: Harness, changes: int) -> Sequence[float]:
    """How long each of so many changes took from its answer to its expectation's return, in milliseconds."""
    if harness.kube.find(_REF) is None:
        harness.kube.create(_replica_set())
    subject = _Watched(harness.cache)
    waited = []
    for _ in range(changes):
        revision = secrets.token_hex(4)
        harness.kube.patch(_REF, {"metadata": {"annotations": {REVISION: revision}}})
        answered = time.monotonic()
        expect(subject, _is_at(revision), within=_WITHIN)
        waited.append(1000 * (time.monotonic() - answered))
    return waited


def _is_at(revision: str) -> Expectation[ReplicaSet]:
    return expectation(
        f"is at revision {revision}",
        lambda found: (Met if found.revision == revision else Pending)(f"at revision {found.revision}"),
    )


def _replica_set() -> Manifest:
    labels = {"app": _NAME}
    return {
        "apiVersion": _REF.api_version,
        "kind": _REF.kind,
        "metadata": {"name": _NAME, "namespace": _NAMESPACE},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "none", "image": "none.invalid/none"}]},
            },
        },
    }
