"""What became of each step: the list `stepExecutionMetadata` of a Promotion's status."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.kube import Manifest

_SEVERITY = ("Succeeded", "Skipped", "Running", "Aborted", "Failed", "Errored")
_UNSUCCESSFUL = frozenset({"Failed", "Errored"})


class Records:
    """The records of the steps so far, in their order."""

    def __init__(self, records: list[Manifest]) -> None:
        self.all = records

    def of(self, step: Manifest) -> Manifest:
        """The record of a step, a new one if there is none."""
        alias = step["as"]
        known = self.by_alias().get(alias)
        if known is not None:
            return known
        self.all.append({"alias": alias, **({"continueOnError": True} if step.get("continueOnError") else {})})
        return self.all[-1]

    def by_alias(self) -> Mapping[str, Manifest]:
        """Every record by its step's alias."""
        return {record["alias"]: record for record in self.all}

    def status(self, alias: str) -> str:
        """The status of a step, empty when it was not come to."""
        return str(self.by_alias().get(alias, {}).get("status", ""))

    def has_failure_before(self, alias: str) -> bool:
        """Whether a step before this one failed that must not."""
        for record in self.all:
            if record["alias"] == alias:
                return False
            if record.get("status") in _UNSUCCESSFUL and not record.get("continueOnError"):
                return True
        return False

    def outcome(self) -> tuple[str, str]:
        """The phase that a Promotion ends in, and its message: those of the worst step that must not fail."""
        counted = [record for record in self.all if not record.get("continueOnError")]
        worst = max((record["status"] for record in counted), key=_SEVERITY.index, default="Succeeded")
        message = next((record.get("message", "") for record in counted if record["status"] == worst), "")
        return "Succeeded" if worst == "Skipped" else worst, message
