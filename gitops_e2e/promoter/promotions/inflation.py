"""Tasks replaced by their steps, and every step given its alias (behaviour file, 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import quote

TaskFinder = Callable[[str, str], Manifest]
"""Gives the PromotionTask or ClusterPromotionTask by kind and name; what it raises when there is none is passed on."""

DEFAULT_TASK_KIND = "PromotionTask"
SEPARATOR = "::"


class InflationFailed(HarnessError):
    """The steps cannot be inflated, as a task lacks the value of a variable."""


def inflate(steps: Sequence[Manifest], promotion_vars: Sequence[Manifest], find_task: TaskFinder) -> list[Manifest]:
    """The steps of a Promotion: none refers to a task, each has an alias. Raises InflationFailed."""
    inflated: list[Manifest] = []
    for number, step in enumerate(steps, start=1):
        if reference := step.get("task"):
            alias = step.get("as") or f"task-{number}"
            task = find_task(reference.get("kind") or DEFAULT_TASK_KIND, reference["name"])
            try:
                inflated += _task_steps(alias, task, step.get("vars", []), promotion_vars)
            except InflationFailed as error:
                where = f"inflate tasks steps for task {quote(reference['name'])} ({quote(alias)})"
                raise InflationFailed(f"failed to inflate Promotion steps: {where}: {error.what}") from error
        else:
            inflated.append({**step, "as": step.get("as") or f"step-{number}"})
    return inflated


def _task_steps(
    alias: str, task: Manifest, given: Sequence[Manifest], promotion_vars: Sequence[Manifest]
) -> list[Manifest]:
    variables = [*_defaults(task["spec"].get("vars", []), given, promotion_vars), *given]
    steps = []
    for number, step in enumerate(task["spec"]["steps"], start=1):
        own = step.get("as") or f"step-{number}"
        all_vars = [*variables, *step.get("vars", [])]
        steps.append({**step, "as": f"{alias}{SEPARATOR}{own}", **({"vars": all_vars} if all_vars else {})})
    return steps


def _defaults(
    declared: Sequence[Manifest], given: Sequence[Manifest], promotion_vars: Sequence[Manifest]
) -> list[Manifest]:
    """The task's own values, for those variables that the Promotion does not set."""
    by_promotion = _names_with_value(promotion_vars)
    settable = by_promotion | _names_with_value(given)
    for variable in declared:
        if not variable.get("value") and variable["name"] not in settable:
            raise InflationFailed(f"missing value for variable {quote(variable['name'])}")
    return [variable for variable in declared if variable.get("value") and variable["name"] not in by_promotion]


def _names_with_value(variables: Sequence[Manifest]) -> set[str]:
    return {variable["name"] for variable in variables if variable.get("value")}
