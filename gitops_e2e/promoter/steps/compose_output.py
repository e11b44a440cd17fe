"""`compose-output`: its config, rendered, is its output (behaviour file, 6.11)."""

from __future__ import annotations

from gitops_e2e.promoter.steps.model import StepContext, StepKind, StepResult


def _run(context: StepContext) -> StepResult:
    return StepResult(output=dict(context.config))


COMPOSE_OUTPUT = StepKind(name="compose-output", schema={"type": "object", "minProperties": 1}, run=_run)
