"""The steps of a promotion with their configuration as a stage will have it, as far as that can be told beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Document, Place, texts
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.promotion_steps import Step, steps_of
from gitops_e2e.promoter.expressions import Environment, Evaluator, ExpressionFailed, Function

_UNKNOWN = "not-known-yet"
"""Stands for what only a promotion knows, such as the output of a step."""


@dataclass(frozen=True)
class PromotedStep:
    """A step with its expressions evaluated. `images` are the addresses that its expressions look up in the Freight."""

    step: Step
    config: Manifest
    images: tuple[str, ...]

    @property
    def uses(self) -> str:
        """The kind of step."""
        return str(self.step.manifest.get("uses", ""))

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that it checks out."""
        return tuple(each["branch"] for each in self._checkouts if each.get("branch"))

    @property
    def clones(self) -> tuple[str, ...]:
        """Where it checks out what is there already."""
        return tuple(
            str(each.get("path", "")).removeprefix("./").rstrip("/")
            for each in self._checkouts
            if not each.get("create")
        )

    @property
    def _checkouts(self) -> Sequence[Manifest]:
        return self.config.get("checkout") or [] if self.uses == "git-clone" else []

    def find(self, place: Place | str, what: str, mend: str) -> Finding:
        """Something wrong at a place of the step."""
        inner = (place,) if isinstance(place, str) else place
        return self.step.document.find((*self.step.place, *inner), what, mend)


def promoted(stage: Document, checkout: Checkout, evaluator: Evaluator) -> list[PromotedStep]:
    """The steps of a stage; one whose expressions cannot be evaluated is left out, as others tell of it."""
    return list(_promoted(stage, checkout, evaluator))


def _promoted(stage: Document, checkout: Checkout, evaluator: Evaluator) -> Iterator[PromotedStep]:
    for step in steps_of(stage, checkout.of_kargo("PromotionTask")):
        looked_up: list[str] = []
        functions = _functions(looked_up)
        data: dict[str, Any] = {"ctx": _context(stage), "vars": {}, **_placeholders(step, evaluator, functions)}
        environment = Environment(data, functions, step_metas={})
        try:
            for variable in (*step.promotion, *step.own):
                data["vars"][variable.name] = evaluator.render(variable.value, environment)
            config = evaluator.render(step.manifest.get("config") or {}, environment)
        except ExpressionFailed:
            continue
        yield PromotedStep(step, config, tuple(looked_up))


def _context(stage: Document) -> Mapping[str, Any]:
    metadata = stage.manifest["metadata"]
    return {
        "project": metadata.get("namespace", ""),
        "stage": metadata["name"],
        "promotion": _UNKNOWN,
        "targetFreight": {"name": _UNKNOWN, "origin": {"name": _UNKNOWN}},
        "meta": {"promotion": {"actor": _UNKNOWN}},
    }


def _functions(looked_up: list[str]) -> dict[str, Function]:
    """Functions that answer with placeholders, and write down which images they are asked for."""

    def image(url: str, *_: Any) -> Manifest:
        looked_up.append(url)
        return {"repoURL": url, "tag": _UNKNOWN, "digest": _UNKNOWN}

    return {
        "imageFrom": image,
        "commitFrom": lambda url, *_: {"repoURL": url, "id": _UNKNOWN},
        "chartFrom": lambda url, *_: {"repoURL": url, "version": _UNKNOWN},
        "configMap": lambda _: {},
        "secret": lambda _: {},
        "stageMetadata": lambda _: {},
        "freightMetadata": lambda *_: {},
        "always": lambda: True,
        "failure": lambda: False,
        "success": lambda: True,
        "status": lambda _: "Succeeded",
    }


def _placeholders(step: Step, evaluator: Evaluator, functions: Mapping[str, Function]) -> dict[str, Any]:
    """What the step's expressions name of the outputs of others, each with a placeholder in its place."""
    data: dict[str, Any] = {"outputs": {}, "task": {"outputs": {}}}
    named = [variable.value for variable in step.own] + [step.manifest.get("config")]
    for _, text in texts(named):
        try:
            found = evaluator.inspect(text, functions)
        except ExpressionFailed:
            continue
        for path in (path for each in found for path in each.paths if path[0] in data and len(path) > 1):
            *way, last = path
            inner = data
            for name in way:
                inner = inner.setdefault(name, {})
                if not isinstance(inner, dict):
                    break
            else:
                inner.setdefault(last, _UNKNOWN)
    return data
