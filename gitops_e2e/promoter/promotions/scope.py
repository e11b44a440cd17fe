"""What the expressions of a Promotion's steps can name (behaviour file, 5.2 and 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.api.promotions import create_actor
from gitops_e2e.promoter.expressions import (
    Artifacts,
    Environment,
    Evaluator,
    ExpressionFailed,
    Function,
    ProjectReader,
    data_functions,
    freight_functions,
)
from gitops_e2e.promoter.promotions.inflation import SEPARATOR
from gitops_e2e.promoter.promotions.records import Records

_UNKNOWN_ACTOR = "unknown actor"


@dataclass(frozen=True)
class Scope:
    """What stays the same for all steps of a Promotion.

    `actor` is the short form, `requested` the origins of the Stage's Freight, `freight` the references at hand.
    """

    kube: Kube
    evaluator: Evaluator
    project: str
    stage: str
    promotion: str
    actor: str
    target: Manifest
    freight: Sequence[Manifest]
    requested: Sequence[Origin]
    variables: Sequence[Manifest]

    @staticmethod
    def of(
        kube: Kube,
        evaluator: Evaluator,
        promotion: Manifest,
        *,
        target: Manifest,
        freight: Sequence[Manifest] = (),
        requested: Sequence[Origin] = (),
    ) -> Scope:
        """The scope of a Promotion; `target` and `freight` are references, the target alone where there are none."""
        return Scope(
            kube=kube,
            evaluator=evaluator,
            project=promotion["metadata"]["namespace"],
            stage=promotion["spec"]["stage"],
            promotion=promotion["metadata"]["name"],
            actor=short_actor(create_actor(promotion)),
            target=target,
            freight=freight or [target],
            requested=requested,
            variables=promotion["spec"].get("vars", []),
        )

    def enter(self, step: Manifest, records: Records, state: Mapping[str, Any]) -> StepScope:
        """What one step sees now. What its functions read, they read once. Raises ExpressionFailed."""
        reader = ProjectReader(self.kube, self.project)
        artifacts = Artifacts(reader, self.requested, self.freight)
        functions = {**data_functions(reader), **freight_functions(reader, artifacts)}
        data: dict[str, Any] = {"ctx": self._context(), "vars": {}}
        metas = records.by_alias()
        self._add_variables(data, self.variables, Environment(data, functions))
        data |= {"outputs": dict(state)}
        prefix = task_of(step["as"])
        if prefix:
            data["task"] = {"outputs": _outputs_of(prefix, state)}
        self._add_variables(data, step.get("vars", []), Environment(data, functions, metas))
        functions |= _status_functions(records, step, prefix)
        return StepScope(self.evaluator, Environment(data, functions, metas), artifacts)

    def _context(self) -> Manifest:
        return {
            "project": self.project,
            "stage": self.stage,
            "promotion": self.promotion,
            "targetFreight": {"name": self.target["name"], "origin": {"name": self.target["origin"]["name"]}},
            "meta": {"promotion": {"actor": self.actor}},
        }

    def _add_variables(self, data: dict[str, Any], variables: Sequence[Manifest], environment: Environment) -> None:
        for variable in variables:
            name = variable["name"]
            try:
                data["vars"][name] = self.evaluator.render(variable.get("value", ""), environment)
            except ExpressionFailed as error:
                raise ExpressionFailed(
                    f"error pre-processing promotion variable {quote(name)}: {error.what}"
                ) from error


@dataclass(frozen=True)
class StepScope:
    """What one step's `if` and `config` can name."""

    evaluator: Evaluator
    environment: Environment
    artifacts: Artifacts

    def render(self, template: Any) -> Any:
        """A JSON value with its expressions evaluated. Raises ExpressionFailed."""
        return self.evaluator.render(template, self.environment)


def task_of(alias: str) -> str:
    """The alias of the task that a step comes from; empty for a step of the Promotion's own."""
    return alias.partition(SEPARATOR)[0] if SEPARATOR in alias else ""


def short_actor(creator: str) -> str:
    """Who created a Promotion, without the word for what kind of user it is: `admin` for `kubernetes:admin`."""
    if creator == _UNKNOWN_ACTOR:
        return ""
    _kind, colon, name = creator.partition(":")
    return name if colon and ":" not in name else creator


def _outputs_of(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    start = prefix + SEPARATOR
    return {alias.removeprefix(start): output for alias, output in state.items() if alias.startswith(start)}


def _status_functions(records: Records, step: Manifest, prefix: str) -> dict[str, Function]:
    failed = records.has_failure_before(step["as"])

    def status(alias: str) -> str:
        if prefix:
            return records.status(prefix + SEPARATOR + alias)
        return "" if SEPARATOR in alias else records.status(alias)

    return {"always": lambda: True, "failure": lambda: failed, "success": lambda: not failed, "status": status}
