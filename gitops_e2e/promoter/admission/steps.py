"""Rules for lists of promotion steps, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission.refusals import FieldError, forbidden, invalid

_RESERVED_ALIAS = re.compile(r"(step|task)-\d+")


def alias_errors(path: str, steps: Sequence[Manifest]) -> Iterator[FieldError]:
    """Aliases that are reserved for unnamed steps, or used twice. `path` is that of the list."""
    first: dict[str, int] = {}
    for index, step in enumerate(steps):
        alias = step.get("as", "").strip()
        if not alias:
            continue
        where = f"{path}[{index}].as"
        if _RESERVED_ALIAS.fullmatch(alias):
            yield invalid(where, alias, "step alias is reserved")
        elif alias in first:
            yield invalid(where, alias, f"step alias duplicates that of {path}[{first[alias]}]")
        else:
            first[alias] = index


def task_step_errors(path: str, steps: Sequence[Manifest]) -> Iterator[FieldError]:
    """Fields that a reference to a task cannot have."""
    for index, step in enumerate(steps):
        if "task" not in step:
            continue
        if step.get("if"):
            yield forbidden(
                f"{path}[{index}].if", "PromotionTemplate step referencing a task cannot have an 'if' condition"
            )
        if "config" in step:
            yield forbidden(f"{path}[{index}].config", "PromotionTemplate step referencing a task cannot have a config")
