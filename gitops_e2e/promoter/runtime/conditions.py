"""metav1.Condition lists, as Kargo 1.8 keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime.times import now, rfc3339

Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Condition:
    """What is said about an object, and why. `reason` is a CamelCase word, `message` a sentence or empty."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def set_condition(status: Manifest, condition: Condition, *, generation: int | None) -> None:
    """Put a condition into `status.conditions`, in the place of the one of its type; None leaves the generation out.

    Kargo keeps the transition time of a condition that was there, even when it flips (behaviour file, 1.3).
    """
    conditions: list[Manifest] = status.setdefault("conditions", [])
    known = next((entry for entry in conditions if entry["type"] == condition.type), None)
    if known is None:
        known = {"type": condition.type, "lastTransitionTime": rfc3339(now())}
        conditions.append(known)
    known.update(status=condition.status, reason=condition.reason, message=condition.message)
    if generation is None:
        known.pop("observedGeneration", None)
    else:
        known["observedGeneration"] = generation


def remove_condition(status: Manifest, *types: str) -> None:
    """Take conditions of these types out of `status.conditions`."""
    kept = [entry for entry in status.get("conditions", []) if entry["type"] not in types]
    if kept:
        status["conditions"] = kept
    else:
        status.pop("conditions", None)


def get_condition(status: Manifest, kind: str) -> Condition | None:
    """The condition of a type, if there is one."""
    for entry in status.get("conditions", []):
        if entry["type"] == kind:
            return Condition(entry["type"], entry["status"], entry["reason"], entry.get("message", ""))
    return None
