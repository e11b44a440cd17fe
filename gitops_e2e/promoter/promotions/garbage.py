"""Removing Promotions and Freight that nobody looks at any more (behaviour file, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitops_e2e.kube import Manifest, Ref, Resource
from gitops_e2e.promoter.api.freights import origin
from gitops_e2e.promoter.api.kinds import FREIGHTS, PROMOTIONS, STAGES, WAREHOUSES
from gitops_e2e.promoter.api.promotions import is_terminal
from gitops_e2e.promoter.runtime import Controller, StoringKube, generation_changed, now, parse_time

_KEPT = 20
_LEAST_AGE = timedelta(hours=336)
_EVERY = timedelta(hours=1).total_seconds()


def superfluous(objects: Sequence[Manifest], is_needed: Callable[[Manifest], bool], moment: datetime) -> list[Manifest]:
    """Those of an owner's objects that may go.

    All from the newest to the oldest needed one are kept, 20 more, and whatever is younger than 14 days.
    """
    newest_first = sorted(objects, key=_age_key, reverse=True)
    needed = [index for index, manifest in enumerate(newest_first) if is_needed(manifest)]
    kept = (needed[-1] + 1 if needed else 0) + _KEPT
    return [manifest for manifest in newest_first[kept:] if moment - _created(manifest) > _LEAST_AGE]


@dataclass(frozen=True)
class GarbageReconciler:
    """Looks at an owner once an hour, and removes what of its objects is superfluous."""

    kube: StoringKube
    resource: Resource
    owned: Resource
    owner_of: Callable[[Manifest], str]
    is_needed: Callable[[Manifest], bool]

    def reconcile(self, manifest: Manifest) -> float:
        """Remove what is superfluous."""
        metadata = manifest["metadata"]
        objects = self.kube.stores.of(self.owned).list(metadata["namespace"])
        own = [one for one in objects if self.owner_of(one) == metadata["name"]]
        for one in superfluous(own, self.is_needed, now()):
            self.kube.delete(Ref.of(one))
        return _EVERY


def garbage_controllers(kube: StoringKube) -> tuple[Controller, Controller]:
    """Those that remove Promotions of Stages, and Freight of Warehouses."""
    for resource in (PROMOTIONS, FREIGHTS):
        kube.stores.of(resource)
    promotions = GarbageReconciler(
        kube,
        STAGES,
        PROMOTIONS,
        owner_of=lambda promotion: str(promotion["spec"]["stage"]),
        is_needed=lambda promotion: not is_terminal(promotion),
    )
    freight = GarbageReconciler(
        kube,
        WAREHOUSES,
        FREIGHTS,
        owner_of=lambda one: origin(one).name,
        is_needed=lambda one: bool(one.get("status", {}).get("currentlyIn")),
    )
    return Controller(promotions, wakes=generation_changed), Controller(freight, wakes=generation_changed)


def _age_key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["creationTimestamp"], manifest["metadata"]["name"]


def _created(manifest: Manifest) -> datetime:
    return parse_time(manifest["metadata"]["creationTimestamp"])
