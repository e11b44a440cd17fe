"""What is read from a Promotion (behaviour file, 4)."""

from __future__ import annotations

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import ANNOTATION_CREATE_ACTOR

TERMINAL_PHASES = frozenset({"Succeeded", "Failed", "Errored", "Aborted"})


def phase(promotion: Manifest) -> str:
    """The phase; empty before the first reconcile."""
    return str(promotion.get("status", {}).get("phase", ""))


def is_terminal(promotion: Manifest) -> bool:
    """Whether the Promotion came to its end, good or bad."""
    return phase(promotion) in TERMINAL_PHASES


def create_actor(promotion: Manifest) -> str:
    """Who created it, such as `kubernetes:admin`; empty for the engine itself."""
    return str(promotion["metadata"].get("annotations", {}).get(ANNOTATION_CREATE_ACTOR, ""))
