"""Verifications of the Freight in a Stage: their states, and the Verified condition (behaviour file, 3.7)."""

from __future__ import annotations

from gitops_e2e.promoter.runtime.conditions import Truth
from gitops_e2e.promoter.stages.draft import Draft

TERMINAL = frozenset({"Successful", "Failed", "Error", "Aborted", "Inconclusive"})
HISTORY_MAX = 10

_VERDICTS: dict[str, tuple[Truth, str, str | None]] = {  # phase: status, reason, message (None: the verification's)
    "Pending": ("Unknown", "VerificationPending", "Freight is pending verification"),
    "Running": ("Unknown", "VerificationRunning", "Freight is currently being verified"),
    "Failed": ("False", "VerificationFailed", None),
    "Error": ("False", "VerificationError", None),
    "Aborted": ("False", "VerificationAborted", None),
    "Inconclusive": ("Unknown", "VerificationInconclusive", None),
}


def is_verifying(draft: Draft) -> bool:
    """Whether the current collection has a verification that is not at its end."""
    return any(entry["phase"] not in TERMINAL for entry in draft.verifications)


def was_verified(draft: Draft) -> bool:
    """Whether the latest verification of the current collection came to its end, good or bad."""
    return bool(draft.verifications) and draft.verifications[0]["phase"] in TERMINAL


def judge(draft: Draft) -> None:
    """Write the Verified condition: any success counts, else the latest verification."""
    if draft.collection is None:
        draft.set("Verified", "Unknown", "NoFreight", "Stage has no current Freight to verify")
    elif any(entry["phase"] == "Successful" for entry in draft.verifications):
        draft.set("Verified", "True", "Verified", "Freight has been verified")
    elif draft.verifications:
        latest = draft.verifications[0]
        unknown = f"Freight verification is in an unknown phase: {latest['phase']}"
        verdict = _VERDICTS.get(latest["phase"], ("Unknown", "UnknownVerificationPhase", unknown))
        status, reason, message = verdict
        draft.set("Verified", status, reason, latest.get("message", "") if message is None else message)
