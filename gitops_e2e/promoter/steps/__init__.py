"""The steps of a Promotion: one module a kind, and the registry of them (behaviour file, section 6)."""

from gitops_e2e.promoter.steps.kinds import KINDS
from gitops_e2e.promoter.steps.model import (
    Author,
    GitLogins,
    Services,
    StepContext,
    StepError,
    StepKind,
    StepResult,
    StepStatus,
    TerminalStepError,
)

__all__ = [
    "KINDS",
    "Author",
    "GitLogins",
    "Services",
    "StepContext",
    "StepError",
    "StepKind",
    "StepResult",
    "StepStatus",
    "TerminalStepError",
]
