"""A Stage and the status that it is going to have."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import Condition, remove_condition, set_condition
from gitops_e2e.promoter.runtime.conditions import Truth


@dataclass(frozen=True)
class Draft:
    """A Stage as it was read, and its status while a pass works on it."""

    stage: Manifest
    status: Manifest

    @staticmethod
    def of(stage: Manifest) -> Draft:
        """A draft that starts from the status as it is."""
        return Draft(stage, copy.deepcopy(stage.get("status", {})))

    @property
    def name(self) -> str:
        """The Stage's name."""
        return str(self.stage["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The Stage's namespace, which is its Project's name."""
        return str(self.stage["metadata"]["namespace"])

    @property
    def generation(self) -> int:
        """The generation of the spec that the pass works for."""
        return int(self.stage["metadata"]["generation"])

    @property
    def collection(self) -> Manifest | None:
        """The Freight collection that is in the Stage now."""
        history: list[Manifest] = self.status.get("freightHistory", [])
        return history[0] if history else None

    @property
    def verifications(self) -> list[Manifest]:
        """The verifications of the current collection, newest first."""
        found: list[Manifest] = (self.collection or {}).get("verificationHistory", [])
        return found

    def set(self, kind: str, status: Truth, reason: str, message: str = "") -> None:
        """Put a condition of this type."""
        set_condition(self.status, Condition(kind, status, reason, message), generation=self.generation)

    def remove(self, kind: str) -> None:
        """Take the condition of this type away."""
        remove_condition(self.status, kind)
