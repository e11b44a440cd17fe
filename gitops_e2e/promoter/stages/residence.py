"""Which Freight says that it is in a Stage now (behaviour file, 3.5)."""

from __future__ import annotations

from datetime import datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.freights import is_verified_in, soak, without_stage
from gitops_e2e.promoter.runtime import Key, Store, format_duration, rfc3339
from gitops_e2e.promoter.stages.draft import Draft


class FreightMissing(HarnessError):
    """Freight that is in the Stage does not exist."""


def synchronize(draft: Draft, freights: Store, kube: Kube, now: datetime) -> None:
    """Bring `status.currentlyIn` of all Freight in line with the Stage. Raises FreightMissing."""
    current = {item["name"] for item in (draft.collection or {}).get("items", {}).values()}
    for freight in freights.list(draft.namespace):
        if draft.name in _places(freight) and freight["metadata"]["name"] not in current:
            _leave(freight, draft.name, kube, now)
    for name in sorted(current):
        freight_now = freights.get(Key(draft.namespace, name))
        if freight_now is None:
            missing = f'Freight "{name}" not found in namespace "{draft.namespace}"'
            raise FreightMissing(f"failed to sync Freight: {missing}")
        if draft.name not in _places(freight_now):
            change = {"currentlyIn": {draft.name: {"since": rfc3339(now)}}}
            kube.patch(Ref.of(freight_now), {"status": change}, subresource="status")


def _leave(freight: Manifest, stage: str, kube: Kube, now: datetime) -> None:
    change: Manifest = {"currentlyIn": without_stage(freight, "currentlyIn", stage)}
    if is_verified_in(freight, stage):
        change["verifiedIn"] = {stage: {"longestSoak": format_duration(soak(freight, stage, now))}}
    kube.patch(Ref.of(freight), {"status": change}, subresource="status")


def _places(freight: Manifest) -> Manifest:
    places: Manifest = freight.get("status", {}).get("currentlyIn", {})
    return places
