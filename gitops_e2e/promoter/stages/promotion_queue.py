"""The Promotions of a Stage: strictly one at a time, in the order of their names (behaviour file, 3.4)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.promotions import is_terminal, phase
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.verification import is_verifying, was_verified

_HISTORY_MAX = 10


def synchronize(draft: Draft, promotions: Sequence[Manifest]) -> None:
    """Take over what Promotions came to, and let the next one run.

    `status.currentPromotion` is the permission to run.
    """
    ordered = _ordered(promotions)
    current = draft.status.get("currentPromotion")
    if not ordered:
        _forget_current(draft)
    elif current and (current["name"] != ordered[0]["metadata"]["name"] or is_terminal(ordered[0])):
        _take_over(draft, promotions)
        _forget_current(draft)
    elif is_terminal(ordered[0]):
        draft.remove("Promoting")
    elif current or not _owes_verification(draft):
        _let_run(draft, ordered[0])


def is_waiting(draft: Draft, promotions: Sequence[Manifest]) -> bool:
    """Whether a Promotion could get the permission to run now."""
    return (
        "currentPromotion" not in draft.status
        and not is_verifying(draft)
        and any(not is_terminal(promotion) for promotion in promotions)
    )


def _ordered(promotions: Sequence[Manifest]) -> list[Manifest]:
    running = [one for one in promotions if phase(one) == "Running"]
    waiting = [one for one in promotions if phase(one) != "Running" and not is_terminal(one)]
    ended = [one for one in promotions if is_terminal(one)]
    return [*sorted(running, key=_name), *sorted(waiting, key=_name), *sorted(ended, key=_name, reverse=True)]


def _let_run(draft: Draft, promotion: Manifest) -> None:
    message = f'Promotion "{_name(promotion)}" is currently {phase(promotion) or "Pending"}'
    draft.set("Promoting", "True", "ActivePromotion", message)
    draft.status["currentPromotion"] = {"name": _name(promotion), **_freight(promotion)}


def _forget_current(draft: Draft) -> None:
    draft.status.pop("currentPromotion", None)
    draft.remove("Promoting")


def _take_over(draft: Draft, promotions: Sequence[Manifest]) -> None:
    """Note every ended Promotion that the Stage does not know yet; a name that sorts before the last is never seen."""
    last = draft.status.get("lastPromotion", {}).get("name", "")
    for promotion in sorted(promotions, key=_name):
        if is_terminal(promotion) and _name(promotion) > last:
            _note(draft, promotion)


def _note(draft: Draft, promotion: Manifest) -> None:
    status = copy.deepcopy(promotion["status"])
    draft.status["lastPromotion"] = {"name": _name(promotion), "status": status, **_freight(promotion)}
    if finished_at := status.get("finishedAt"):
        draft.status["lastPromotion"]["finishedAt"] = finished_at
    if status["phase"] == "Succeeded":
        history = [copy.deepcopy(status["freightCollection"]), *draft.status.get("freightHistory", [])]
        draft.status["freightHistory"] = history[:_HISTORY_MAX]
        draft.status.pop("health", None)
        wait = "Waiting for {} to be performed after successful promotion"
        draft.set("Healthy", "Unknown", "WaitingForHealthCheck", wait.format("health check"))
        draft.set("Verified", "Unknown", "WaitingForVerification", wait.format("verification"))


def _owes_verification(draft: Draft) -> bool:
    """Whether the Freight that is there has to be verified before other Freight may replace it."""
    if draft.collection is None:
        return False
    healthy = draft.status.get("health", {}).get("status", "Healthy") == "Healthy"
    return is_verifying(draft) or (healthy and not was_verified(draft))


def _freight(promotion: Manifest) -> Manifest:
    freight = promotion.get("status", {}).get("freight")
    return {"freight": copy.deepcopy(freight)} if freight else {}


def _name(promotion: Manifest) -> str:
    return str(promotion["metadata"]["name"])
