"""Kargo resources: what they refer to, the variables and expressions of their steps, and the steps' configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Document, Place, dotted, texts, value_at
from gitops_e2e.lint.expressions import STAGE_CONTEXT, Expressions, Scope
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.promotion_steps import (
    STEPS,
    TASK_STEPS,
    Step,
    Variable,
    promotion_variables,
    steps_of,
    variables,
)
from gitops_e2e.lint.schemas import complaints_of_template
from gitops_e2e.lint.wording import use_instead
from gitops_e2e.promoter.admission.configs import policy_errors
from gitops_e2e.promoter.admission.refusals import FieldError, Refused
from gitops_e2e.promoter.admission.stages import field_errors as stage_errors
from gitops_e2e.promoter.admission.steps import alias_errors
from gitops_e2e.promoter.admission.unsupported import KARGO_STEPS
from gitops_e2e.promoter.admission.warehouses import field_errors as warehouse_errors
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions.inflation import SEPARATOR, InflationFailed, inflate
from gitops_e2e.promoter.steps import KINDS

_TASK = "PromotionTask"


def check(checkout: Checkout, evaluator: Evaluator) -> Iterator[Finding]:
    """All Kargo resources. They have to be valid by their schemas for this."""
    stages, tasks = checkout.of_kargo("Stage"), checkout.of_kargo(_TASK)
    yield from _rules(checkout)
    for stage in stages.values():
        yield from _task_references(stage, checkout)
        yield from _missing_values(stage, tasks)
    for task in tasks.values():
        yield from _is_used(task, stages.values())
    yield from _step_kinds([*stages.values(), *tasks.values()])
    yield from _expressions(stages, tasks, evaluator)


# --- Kargo's own rules


def _rules(checkout: Checkout) -> Iterator[Finding]:
    """What Kargo's admission webhooks would refuse."""
    rules: Mapping[str, Callable[[Manifest], Iterable[FieldError]]] = {
        "Stage": stage_errors,
        _TASK: lambda task: alias_errors("spec.steps", task["spec"]["steps"]),
        "Warehouse": lambda warehouse: warehouse_errors(warehouse["spec"]["subscriptions"]),
        "ProjectConfig": lambda config: policy_errors(config["spec"].get("promotionPolicies", [])),
    }
    for kind, rule in rules.items():
        for document in checkout.of_kargo(kind).values():
            try:
                errors = list(rule(document.manifest))
            except Refused as refusal:
                yield document.find(("spec",), f"Kargo refuses this {kind}: {refusal.what}", "mend what it names")
                continue
            for error in errors:
                place = _place(error.path)
                yield document.find(place, f"Kargo refuses this {kind}: {error}", f"mend {dotted(place)}")


def _place(path: str) -> Place:
    """The place of a path in Kargo's words, such as `spec.steps[1].as`."""
    return tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path))


# --- tasks


def _task_references(stage: Document, checkout: Checkout) -> Iterator[Finding]:
    for index, step in enumerate(value_at(stage.content, STEPS) or []):
        reference = step.get("task")
        if reference is None:
            continue
        kind, name = reference.get("kind") or _TASK, reference.get("name", "")
        known = checkout.of_kargo(kind)
        if name not in known:
            yield stage.find((*STEPS, index, "task", "name"), f"there is no {kind} {name}", use_instead(name, known))


def _missing_values(stage: Document, tasks: Mapping[str, Document]) -> Iterator[Finding]:
    """Variables of tasks that neither the task nor the stage gives a value."""
    given = [{"name": each.name, "value": each.value} for each in promotion_variables(stage)]
    for index, step in enumerate(value_at(stage.content, STEPS) or []):
        if step.get("task", {}).get("name") not in tasks:
            continue
        try:
            inflate([step], given, lambda _, name: tasks[name].manifest)
        except InflationFailed as error:
            _, _, why = error.what.rpartition(": ")
            name = step["task"]["name"]
            yield stage.find((*STEPS, index), f"{_TASK} {name} cannot be used like that: {why}", "give it in vars")


def _is_used(task: Document, stages: Iterable[Document]) -> Iterator[Finding]:
    name = task.manifest["metadata"]["name"]
    if not any(name in _tasks_of(stage) for stage in stages):
        yield task.find(("metadata", "name"), f"no stage uses {_TASK} {name}", "remove it, or use it in a stage")


# --- kinds of steps


def _step_kinds(documents: Iterable[Document]) -> Iterator[Finding]:
    for document in documents:
        steps = STEPS if document.manifest["kind"] == "Stage" else TASK_STEPS
        for index, step in enumerate(value_at(document.content, steps) or []):
            if "uses" in step:
                yield from _step_kind(document, (*steps, index), step)


def _step_kind(document: Document, place: Place, step: Manifest) -> Iterator[Finding]:
    uses = step["uses"]
    if uses in KINDS:
        for complaint in complaints_of_template(KINDS[uses].schema, step.get("config", {}), f"a step {uses}"):
            yield document.find((*place, "config", *complaint.place), f"in config, {complaint.what}", complaint.mend)
    elif uses in KARGO_STEPS:
        what = f"the promotion engine does not support steps {uses}"
        yield document.find((*place, "uses"), what, f"use some of: {', '.join(sorted(KINDS))}")
    else:
        yield document.find((*place, "uses"), f"Kargo has no step {uses}", use_instead(uses, KARGO_STEPS))
    condition = step.get("if")
    if isinstance(condition, str) and "${{" not in condition:
        what = f"if is the text {condition!r}, which is neither true nor false"
        yield document.find((*place, "if"), what, f"write ${{{{ {condition} }}}}")


# --- variables and expressions


def _expressions(
    stages: Mapping[str, Document], tasks: Mapping[str, Document], evaluator: Evaluator
) -> Iterator[Finding]:
    by_task = {name: Expressions(evaluator) for name in tasks}
    for stage in stages.values():
        own = Expressions(evaluator)
        yield from _promotion_variables(stage, own)
        yield from _verification(stage, own)
        for step in steps_of(stage, tasks):
            yield from _step(step, by_task[step.document.manifest["metadata"]["name"]] if step.task else own)
        in_tasks = [by_task[name] for name in _tasks_of(stage) if name in by_task]
        yield from _unused(promotion_variables(stage), [own, *in_tasks])
    used = {name for stage in stages.values() for name in _tasks_of(stage)}
    for name in used & tasks.keys():
        yield from _unused(variables(tasks[name], ("spec", "vars")), [by_task[name]])


def _promotion_variables(stage: Document, expressions: Expressions) -> Iterator[Finding]:
    yield from _values(promotion_variables(stage), Scope(frozenset()), expressions)


def _verification(stage: Document, expressions: Expressions) -> Iterator[Finding]:
    place = ("spec", "verification", "args")
    names = frozenset(variable.name for variable in variables(stage, ("spec", "vars")))
    for argument in variables(stage, place):
        yield from expressions.check(
            stage, (*argument.place, "value"), str(argument.value), Scope(names, STAGE_CONTEXT)
        )


def _step(step: Step, expressions: Expressions) -> Iterator[Finding]:
    prefix = step.task + SEPARATOR
    scope = Scope(
        frozenset(variable.name for variable in (*step.promotion, *step.own)),
        outputs=step.earlier,
        task_outputs=tuple(each.removeprefix(prefix) for each in step.earlier if each.startswith(prefix))
        if step.task
        else None,
    )
    yield from _values(step.own, scope, expressions, before=step.promotion)
    for field in ("if", "config"):
        for place, text in texts(step.manifest.get(field), (*step.place, field)):
            yield from expressions.check(step.document, place, text, replace(scope, in_step=True))


def _values(
    listed: Iterable[Variable], scope: Scope, expressions: Expressions, before: Iterable[Variable] = ()
) -> Iterator[Finding]:
    """The expressions in variables, each of which can name those before it."""
    names = {variable.name for variable in before}
    for variable in listed:
        for place, text in texts(variable.value, (*variable.place, "value")):
            yield from expressions.check(variable.document, place, text, replace(scope, variables=frozenset(names)))
        names.add(variable.name)


def _unused(listed: Iterable[Variable], users: Iterable[Expressions]) -> Iterator[Finding]:
    users = list(users)
    if any(user.uses_any for user in users):
        return
    for variable in listed:
        if not any(variable.name in user.used for user in users):
            yield variable.document.find(
                variable.place, f"no expression uses the variable {variable.name}", "remove it, or use it"
            )


def _tasks_of(stage: Document) -> Iterator[str]:
    for step in value_at(stage.content, STEPS) or []:
        if "task" in step:
            yield step["task"].get("name", "")
