"""Promotions that the engine creates by itself (behaviour file, 3.12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.freights import origin
from gitops_e2e.promoter.api.kinds import PROMOTIONS
from gitops_e2e.promoter.api.names import promotion_name
from gitops_e2e.promoter.api.promotions import is_terminal, phase
from gitops_e2e.promoter.api.stages import FreightRequest, freight_requests, promotion_vars, template_steps
from gitops_e2e.promoter.runtime import Stores
from gitops_e2e.promoter.stages.available_freight import available_freight
from gitops_e2e.promoter.stages.draft import Draft


class TooManyCandidates(HarnessError):
    """A Stage that follows its upstream Stage finds more than one piece of Freight there."""


def candidates(draft: Draft, promotions: Sequence[Manifest], stores: Stores, now: datetime) -> list[Manifest]:
    """The Freight that is to be promoted to the Stage, one for an origin at most.

    Raises WarehouseMissing, TooManyCandidates.
    """
    return [
        freight
        for request in freight_requests(draft.stage)
        if (available := available_freight(request, draft.name, draft.namespace, stores, now))
        and (freight := _due(request, available, draft, promotions))
    ]


def new_promotion(stage: Manifest, freight: Manifest) -> Manifest:
    """The Promotion of Freight to a Stage, its tasks not yet inflated: admission does that."""
    metadata = stage["metadata"]
    spec: Manifest = {
        "stage": metadata["name"],
        "freight": freight["metadata"]["name"],
        "steps": template_steps(stage),
    }
    if variables := promotion_vars(stage):
        spec["vars"] = variables
    return {
        "apiVersion": PROMOTIONS.api_version,
        "kind": PROMOTIONS.kind,
        "metadata": {
            "name": promotion_name(metadata["name"], freight["metadata"]["name"]),
            "namespace": metadata["namespace"],
        },
        "spec": spec,
    }


def create_promotion(kube: Kube, draft: Draft, freight: Manifest) -> Manifest:
    """Create it. Raises KubeError when admission refuses it."""
    return kube.create(new_promotion(draft.stage, freight))


def message(draft: Draft, freight: Manifest) -> str:
    """What the event of the creation says."""
    return f'Automatically promoted Freight from origin "{origin(freight)}" for Stage "{draft.name}"'


def _due(
    request: FreightRequest, available: Sequence[Manifest], draft: Draft, promotions: Sequence[Manifest]
) -> Manifest | None:
    """The newest Freight, if it has to be promoted now."""
    if request.selection == "MatchUpstream" and len(available) > 1:
        raise TooManyCandidates(
            f'expected at most one piece of Freight from origin "{request.origin}" for Stage "{draft.name}", '
            f"found {len(available)}"
        )
    newest = _newest(available, promotions)
    name = newest["metadata"]["name"]
    current = (draft.collection or {}).get("items", {}).get(str(request.origin), {})
    same = [promotion for promotion in promotions if promotion["spec"]["freight"] == name]
    if current.get("name") == name:
        return None
    if request.selection == "NewestFreight":
        return None if same else newest  # once: a failure is not repeated, a manual rollback not undone
    ended = sorted((one for one in same if is_terminal(one)), key=lambda one: str(one["metadata"]["name"]))
    is_free = len(ended) == len(same) and (not ended or phase(ended[-1]) == "Succeeded")
    return newest if is_free else None


def _newest(available: Sequence[Manifest], promotions: Sequence[Manifest]) -> Manifest:
    """Of Freight that came in the same second, what was not promoted yet: what was promoted is not the newest."""
    created = available[0]["metadata"]["creationTimestamp"]
    latest = [freight for freight in available if freight["metadata"]["creationTimestamp"] == created]
    promoted = {promotion["spec"]["freight"] for promotion in promotions}
    return next((freight for freight in latest if freight["metadata"]["name"] not in promoted), latest[0])
