"""Whether a Deployment or StatefulSet is rolled out, as `kubectl rollout status` judges it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

from gitops_e2e.kube import PODS, Manifest, Ref, Resource
from gitops_e2e.pipeline.pods import Pods, WatchedPods, described
from gitops_e2e.watching.cache import WatchCache
from gitops_e2e.watching.expectation import Expectation, Impossible, Met, Pending, Verdict, expectation
from gitops_e2e.watching.snapshot import Place, Snapshot
from gitops_e2e.watching.timeline import Fact

DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments", namespaced=True)
STATEFUL_SETS = Resource("apps/v1", "StatefulSet", "statefulsets", namespaced=True)
RESOURCES = (DEPLOYMENTS, STATEFUL_SETS)

_START_PATIENCE = 30.0
_NONE_WANTED = "it is scaled to 0: no pod of it is wanted"


@dataclass(frozen=True)
class Workload:
    """How many pods are wanted, are there, run the newest template, are available of all; and its pods."""

    wanted: int
    there: int
    updated: int
    available: int
    pods: Pods

    @classmethod
    def read(cls, manifest: Manifest, pods: Pods = ()) -> Self | Pending:
        """The counts, once the controller has seen the newest generation."""
        status = manifest.get("status", {})
        if int(status.get("observedGeneration") or 0) < int(manifest["metadata"]["generation"]):
            return Pending("its controller has not seen its newest generation")
        return cls(
            wanted=int(manifest["spec"].get("replicas", 1)),
            there=int(status.get("replicas") or 0),
            updated=int(status.get("updatedReplicas") or 0),
            available=int(status.get("availableReplicas") or 0),
            pods=pods,
        )


@dataclass(frozen=True)
class WorkloadSubject:
    """A Deployment or StatefulSet that is watched, from that generation of it on."""

    ref: Ref
    cache: WatchCache
    generation: int = 0

    @property
    def title(self) -> str:
        """Its kind, name and namespace."""
        return str(self.ref)

    @property
    def scope(self) -> frozenset[Place]:
        """Where it and its pods are."""
        return frozenset(Place(resource, self.ref.namespace) for resource in (self._resource, PODS))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Its own namespace."""
        return (self.ref.namespace or "",)

    def read(self, snapshot: Snapshot) -> Workload | Pending:
        """Its counts."""
        manifest = snapshot.find(self._resource, self.ref.namespace, self.ref.name)
        if manifest is None:
            return Pending("it does not exist")
        if int(manifest["metadata"]["generation"]) < self.generation:
            return Pending("it is not seen as it was changed yet")
        labels = manifest["spec"]["selector"]["matchLabels"]
        return Workload.read(manifest, WatchedPods(self.cache, self.ref.namespace or "", labels).read(snapshot))

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What the controller reports, a line a condition."""
        manifest = snapshot.find(self._resource, self.ref.namespace, self.ref.name) or {}
        conditions = manifest.get("status", {}).get("conditions", [])
        return [f"{each['type']} {each['status']}: {each.get('message', '')}" for each in conditions]

    @property
    def _resource(self) -> Resource:
        return next(each for each in RESOURCES if each.kind == self.ref.kind)


def is_rolled_out() -> Expectation[Workload]:
    """All wanted pods run the newest template and are available."""
    return expectation("all its pods are available, in its newest version", _rolled_out)


def _rolled_out(workload: Workload) -> Verdict:
    observed = (
        f"{workload.available} of {workload.wanted} pods available, {workload.updated} in the newest version; "
        f"pods: {described(workload.pods)}"
    )
    if not workload.wanted:
        return Impossible(_NONE_WANTED)
    # An old pod that is still there may be the one that is available.
    if workload.there <= workload.updated and workload.wanted <= min(workload.available, workload.updated):
        return Met(observed)
    return _trouble(workload.pods) or Pending(observed)


def has_replaced(killed: Collection[str]) -> Expectation[Workload]:
    """As many pods as are wanted are ready, and the killed ones, given by their uids, are gone.

    The counts are not asked: for a moment they still tell of the killed ones.
    """

    def judge(workload: Workload) -> Verdict:
        if not workload.wanted:
            return Impossible(_NONE_WANTED)
        left = [pod.name for pod in workload.pods if pod.uid in killed]
        observed = f"pods: {described(workload.pods)}" + (f"; not gone: {', '.join(left)}" if left else "")
        if not left and workload.wanted <= sum(pod.ready for pod in workload.pods):
            return Met(observed)
        return _trouble(workload.pods) or Pending(observed)

    return expectation("its pods are new ones, and ready", judge)


def _trouble(pods: Pods) -> Impossible | None:
    troubles = [trouble for pod in pods if (trouble := pod.trouble)]
    # While a stack starts, a pod may crash until what it depends on is there.
    return replace(troubles[0], lasting=max(troubles[0].lasting, _START_PATIENCE)) if troubles else None


def untold(_before: Manifest | None, _after: Manifest | None) -> tuple[Fact, ...]:
    """The narrator of what is no part of a pipeline's story."""
    return ()
