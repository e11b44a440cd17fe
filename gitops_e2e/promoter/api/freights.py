"""What is read from Freight: its origin, its artifacts, and whether a Stage may have it (behaviour file, 1.7, 3.11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.api.stages import FreightRequest, freight_requests
from gitops_e2e.promoter.runtime.times import parse_duration, parse_time

ARTIFACTS = ("commits", "images", "charts")
"""The lists of artifacts in a Freight, in the order in which they are written."""


def origin(freight: Manifest) -> Origin:
    """Where the Freight comes from."""
    return Origin.of(freight["origin"])


def reference(freight: Manifest) -> Manifest:
    """The Freight as statuses refer to it: its name, origin and artifacts."""
    artifacts = {kind: freight[kind] for kind in ARTIFACTS if freight.get(kind)}
    return {"name": freight["metadata"]["name"], "origin": freight["origin"], **artifacts}


def is_verified_in(freight: Manifest, stage: str) -> bool:
    """Whether the Freight was proven in the Stage of this name."""
    return stage in freight.get("status", {}).get("verifiedIn", {})


def soak(freight: Manifest, stage: str, now: datetime) -> timedelta:
    """The longest time the Freight stayed in the Stage of this name, now included; none unless verified there."""
    status = freight.get("status", {})
    verified = status.get("verifiedIn", {}).get(stage)
    if verified is None:
        return timedelta(0)
    longest = parse_duration(verified.get("longestSoak", "0s"))
    since = status.get("currentlyIn", {}).get(stage, {}).get("since")
    return max(longest, now - parse_time(since)) if since else longest


def is_available(freight: Manifest, stage: Manifest, now: datetime) -> bool:
    """Whether the Freight may be promoted to the Stage: the gate that admission and promotion share."""
    if freight["metadata"]["namespace"] != stage["metadata"]["namespace"]:
        return False
    if stage["metadata"]["name"] in freight.get("status", {}).get("approvedFor", {}):
        return True
    return any(
        request.origin == origin(freight) and _satisfies(freight, request, now) for request in freight_requests(stage)
    )


def _satisfies(freight: Manifest, request: FreightRequest, now: datetime) -> bool:
    if request.direct:
        return True
    proven = (
        is_verified_in(freight, stage) and soak(freight, stage, now) >= request.required_soak
        for stage in request.stages
    )
    return all(proven) if request.strategy == "All" else any(proven)


def without_stage(freight: Manifest, field: str, stage: str) -> Manifest | None:
    """What to write in place of a map of the status, by stage, to take one out: the last one takes the map along."""
    others = freight.get("status", {}).get(field, {}).keys() - {stage}
    return {stage: None} if others else None
