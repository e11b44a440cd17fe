"""The Ready condition, which sums the others up, and the summary of the Freight (behaviour file, 3.2 and 3.8)."""

from __future__ import annotations

from gitops_e2e.promoter.api.promotions import TERMINAL_PHASES
from gitops_e2e.promoter.runtime import get_condition
from gitops_e2e.promoter.stages.draft import Draft


def summarize(draft: Draft) -> None:
    """Write what the other conditions come to, where no error is to be told."""
    _summarize_freight(draft)
    promoting = get_condition(draft.status, "Promoting")
    healthy = get_condition(draft.status, "Healthy")
    verified = get_condition(draft.status, "Verified")
    last = draft.status.get("lastPromotion", {}).get("status", {})
    last_phase = last.get("phase", "")
    if promoting is not None:
        draft.set("Ready", "False", promoting.reason, promoting.message)
    elif last_phase in TERMINAL_PHASES - {"Succeeded"}:
        draft.set("Ready", "False", f"LastPromotion{last_phase}", last.get("message", ""))
    elif healthy is None:
        draft.set("Ready", "False", "Unhealthy", "Stage is not healthy")
    elif healthy.status != "True":
        draft.set("Ready", "False", healthy.reason, healthy.message)
    elif verified is None:
        draft.set("Ready", "False", "PendingVerification", "Stage is not verified")
    elif verified.status != "True":
        draft.set("Ready", "False", verified.reason, verified.message)
    else:
        draft.set("Ready", "True", "Verified", "Freight has been verified")
        draft.remove("Reconciling")
        draft.status["observedGeneration"] = draft.generation


def summarize_error(draft: Draft, message: str) -> None:
    """Write that the pass was ended by an error."""
    _summarize_freight(draft)
    draft.set("Ready", "False", "ReconcileError", message)
    draft.set("Reconciling", "True", "RetryAfterError")


def _summarize_freight(draft: Draft) -> None:
    requested = len(draft.stage["spec"]["requestedFreight"])
    items = list((draft.collection or {}).get("items", {}).values())
    if requested == 1 and len(items) == 1:
        draft.status["freightSummary"] = items[0]["name"]
    else:
        draft.status["freightSummary"] = f"{len(items)}/{requested} Fulfilled"
