"""The ReplicaSets of a Rollout: one for each release, told apart by the pod-template-hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.pipeline.pods import HASH_LABEL
from gitops_e2e.pipeline.reading import container_images, has_image, time_of
from gitops_e2e.watching import Fact

REPLICA_SETS = Resource("apps/v1", "ReplicaSet", "replicasets", namespaced=True)

REVISION = "rollout.argoproj.io/revision"
"""The annotation that counts the updates of a Rollout; its ReplicaSets and AnalysisRuns bear it, too."""


@dataclass(frozen=True)
class ReplicaSet:
    """A release of a Rollout. `desired` is what is asked for, the other counts are what there is."""

    name: str
    owner: str
    created: datetime | None
    release: str
    revision: str
    images: tuple[str, ...]
    desired: int
    replicas: int
    ready: int
    available: int

    @staticmethod
    def of(manifest: Manifest) -> ReplicaSet:
        """The ReplicaSet that a manifest describes; `owner` is the uid of its controller, "" without one."""
        metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
        return ReplicaSet(
            metadata["name"],
            owner_uid(manifest),
            time_of(metadata.get("creationTimestamp")),
            (metadata.get("labels") or {}).get(HASH_LABEL, ""),
            (metadata.get("annotations") or {}).get(REVISION, ""),
            container_images(spec["template"]["spec"]),
            spec.get("replicas", 1),
            status.get("replicas", 0),
            status.get("readyReplicas", 0),
            status.get("availableReplicas", 0),
        )

    def runs(self, release: str) -> bool:
        """Whether it runs an image of that reference or tag."""
        return has_image(self.images, release)


def owner_uid(manifest: Manifest) -> str:
    """The uid of the object that controls this one, "" when none does."""
    owners = manifest["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a ReplicaSet means: another size asked for, or reached."""
    old, new = ReplicaSet.of(before) if before else None, ReplicaSet.of(after) if after else None
    if new is None:
        yield Fact("gone", "gone")
        return
    sizes = {"release": new.release, "desired": new.desired, "replicas": new.replicas, "ready": new.ready}
    if old is None or (old.desired, old.replicas, old.ready) != (new.desired, new.replicas, new.ready):
        yield Fact("size", f"{new.desired} wanted, {new.replicas} there, {new.ready} ready", sizes)
