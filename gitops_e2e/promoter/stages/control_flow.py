"""Control-flow Stages: they have no steps and only hand Freight on (behaviour file, 3.10)."""

from __future__ import annotations

from datetime import datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import KubeError, Manifest, Ref
from gitops_e2e.promoter.api.freights import is_verified_in
from gitops_e2e.promoter.api.stages import freight_requests
from gitops_e2e.promoter.runtime import Condition, StoringKube, remove_condition, rfc3339, set_condition
from gitops_e2e.promoter.stages.available_freight import available_freight
from gitops_e2e.promoter.stages.draft import Draft


def hand_on(draft: Draft, kube: StoringKube, now: datetime) -> list[Manifest]:
    """Mark all Freight that is available as verified in the Stage; what was not before, as it was.

    The status tells of errors too, before they are raised.
    """
    _clear(draft)
    try:
        found = [
            freight
            for request in freight_requests(draft.stage)
            for freight in available_freight(request, draft.name, draft.namespace, kube.stores, now)
            if not is_verified_in(freight, draft.name)
        ]
    except HarnessError as error:
        _fail(draft, "FreightRetrievalFailed", error)
        raise
    try:
        for freight in found:
            verified = {"verifiedIn": {draft.name: {"verifiedAt": rfc3339(now)}}}
            kube.patch(Ref.of(freight), {"status": verified}, subresource="status")
    except KubeError as error:
        _fail(draft, "FreightVerificationFailed", error)
        raise
    # Kargo leaves the generation out of this condition.
    set_condition(draft.status, Condition("Ready", "True", "Ready"), generation=None)
    remove_condition(draft.status, "Reconciling")
    draft.status["observedGeneration"] = draft.generation
    return found


def _clear(draft: Draft) -> None:
    """Leave of the status what a control-flow Stage has."""
    remove_condition(draft.status, "Healthy", "Promoting", "Verified")
    for field in draft.status.keys() - {"conditions", "lastHandledRefresh", "observedGeneration"}:
        del draft.status[field]
    draft.status["freightSummary"] = "N/A"


def _fail(draft: Draft, reason: str, error: HarnessError) -> None:
    set_condition(draft.status, Condition("Ready", "False", reason, error.what), generation=None)
    draft.set("Reconciling", "True", "RetryAfterError")
