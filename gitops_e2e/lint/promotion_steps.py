"""The steps that a promotion to a stage is made of, tasks replaced by theirs, each still where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.documents import Document, Place, value_at
from gitops_e2e.promoter.promotions.inflation import SEPARATOR

STEPS: Place = ("spec", "promotionTemplate", "spec", "steps")
"""The steps of a Stage."""
TASK_STEPS: Place = ("spec", "steps")
_VARIABLES: tuple[Place, ...] = (("spec", "vars"), ("spec", "promotionTemplate", "spec", "vars"))


@dataclass(frozen=True)
class Variable:
    """A variable, where it is given a value."""

    document: Document
    place: Place
    name: str
    value: Any


@dataclass(frozen=True)
class Step:
    """A step as one stage runs it: where it is written, and what is there when it runs.

    `alias` is the full one, such as `promote::push`; `earlier` are those of the steps before it. `promotion` are the
    variables of the whole promotion, `own` those of its task and of the step; of several with one name the last counts.
    """

    document: Document
    place: Place
    alias: str
    earlier: tuple[str, ...]
    promotion: tuple[Variable, ...]
    own: tuple[Variable, ...]

    @property
    def manifest(self) -> Manifest:
        """The step."""
        manifest: Manifest = value_at(self.document.content, self.place)
        return manifest

    @property
    def task(self) -> str:
        """The alias of the task that the step is part of; empty for a stage's own."""
        return self.alias.rpartition(SEPARATOR)[0]


def promotion_variables(stage: Document) -> list[Variable]:
    """The variables of every promotion to a stage."""
    return [variable for place in _VARIABLES for variable in variables(stage, place)]


def steps_of(stage: Document, tasks: Mapping[str, Document]) -> Iterator[Step]:
    """The steps of a stage in their order. A task that is not there has none."""
    promotion = tuple(promotion_variables(stage))
    set_by_promotion = {variable.name for variable in promotion if variable.value}
    earlier: list[str] = []
    for index, step in enumerate(value_at(stage.content, STEPS) or []):
        place = (*STEPS, index)
        given = variables(stage, (*place, "vars"))
        if task := step.get("task"):
            document = tasks.get(task.get("name", ""))
            if document is None:
                continue
            alias = step.get("as") or f"task-{index + 1}"
            defaults = [
                variable
                for variable in variables(document, ("spec", "vars"))
                if variable.value and variable.name not in set_by_promotion
            ]
            for inner_index, inner in enumerate(value_at(document.content, TASK_STEPS) or []):
                inner_place = (*TASK_STEPS, inner_index)
                full = f"{alias}{SEPARATOR}{inner.get('as') or f'step-{inner_index + 1}'}"
                own = variables(document, (*inner_place, "vars"))
                yield Step(document, inner_place, full, tuple(earlier), promotion, (*defaults, *given, *own))
                earlier.append(full)
        else:
            full = step.get("as") or f"step-{index + 1}"
            yield Step(stage, place, full, tuple(earlier), promotion, tuple(given))
            earlier.append(full)


def variables(document: Document, place: Place) -> list[Variable]:
    """The variables of a list."""
    listed = value_at(document.content, place) or []
    return [
        Variable(document, (*place, index), str(each.get("name")), each.get("value", ""))
        for index, each in enumerate(listed)
        if isinstance(each, dict)
    ]
