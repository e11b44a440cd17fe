"""Which Freight auto-promotion may choose from (behaviour file, 3.11 b)."""

from __future__ import annotations

from datetime import datetime, timedelta

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.freights import is_verified_in, origin, soak
from gitops_e2e.promoter.api.kinds import FREIGHTS, WAREHOUSES
from gitops_e2e.promoter.api.stages import FreightRequest
from gitops_e2e.promoter.runtime import Key, Stores


class WarehouseMissing(HarnessError):
    """A Stage requests Freight of a Warehouse that does not exist."""


def available_freight(
    request: FreightRequest, stage: str, namespace: str, stores: Stores, now: datetime
) -> list[Manifest]:
    """The Freight that one request of a Stage finds, newest first. Raises WarehouseMissing."""
    if stores.of(WAREHOUSES).get(Key(namespace, request.origin.name)) is None:
        raise WarehouseMissing(f'Warehouse "{request.origin.name}" not found in namespace "{namespace}"')
    freights = [freight for freight in stores.of(FREIGHTS).list(namespace) if origin(freight) == request.origin]
    found = [freight for freight in freights if request.direct or _is_found(freight, request, stage, now)]
    if request.selection == "MatchUpstream":
        found = [freight for freight in found if request.stages[0] in _status(freight, "currentlyIn")]
    return sorted(found, key=lambda freight: str(freight["metadata"]["creationTimestamp"]), reverse=True)


def _is_found(freight: Manifest, request: FreightRequest, stage: str, now: datetime) -> bool:
    if stage in _status(freight, "approvedFor"):
        return True
    verified = [upstream for upstream in request.stages if is_verified_in(freight, upstream)]
    enough = len(verified) == len(request.stages) if request.strategy == "All" else bool(verified)
    return enough and _is_soaked(freight, request, now)


def _is_soaked(freight: Manifest, request: FreightRequest, now: datetime) -> bool:
    """Whether the soak time is over: in any Stage for OneOf, in exactly the listed ones for All."""
    if request.required_soak == timedelta(0):
        return True
    verified = _status(freight, "verifiedIn")
    soaked = {upstream for upstream in verified if soak(freight, upstream, now) >= request.required_soak}
    return soaked == set(request.stages) if request.strategy == "All" else bool(soaked)


def _status(freight: Manifest, field: str) -> Manifest:
    found: Manifest = freight.get("status", {}).get(field, {})
    return found
