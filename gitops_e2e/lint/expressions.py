"""Expressions of Kargo resources: whether they compile, and whether what they name is there (behaviour file, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from gitops_e2e.lint.documents import Document, Place
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.wording import use_instead
from gitops_e2e.promoter.expressions import Evaluator, ExpressionFailed, Named

_UTILITIES = ("quote", "unsafeQuote", "semverDiff")
_DATA = ("configMap", "secret", "stageMetadata", "freightMetadata")
_FREIGHT = ("warehouse", "imageFrom", "commitFrom", "chartFrom")
_STATUS = ("always", "failure", "success", "status")

STAGE_CONTEXT = (("project",), ("stage",))
PROMOTION_CONTEXT = (
    *STAGE_CONTEXT,
    ("promotion",),
    ("targetFreight", "name"),
    ("targetFreight", "origin", "name"),
    ("meta", "promotion", "actor"),
)


@dataclass(frozen=True)
class Scope:
    """What the expressions at some place can name.

    `variables` are those of `vars`; `outputs` the aliases of `outputs`, `task_outputs` those of `task.outputs`; None
    where there is no such object. `in_step` is whether functions tell the status of steps.
    """

    variables: frozenset[str]
    context: tuple[tuple[str, ...], ...] = PROMOTION_CONTEXT
    outputs: tuple[str, ...] | None = None
    task_outputs: tuple[str, ...] | None = None
    in_step: bool = False

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that are there, beside expr-lang's own."""
        return (*_DATA, *_FREIGHT, *(_STATUS if self.in_step else ()))

    @property
    def roots(self) -> tuple[str, ...]:
        """The objects that are there."""
        outputs = () if self.outputs is None else ("outputs", "stepMetas")
        return ("ctx", "vars", *outputs, *(() if self.task_outputs is None else ("task",)))


@dataclass
class Expressions:
    """Checks expressions, and keeps which variables they named."""

    evaluator: Evaluator
    used: set[str] = field(default_factory=set)
    uses_any: bool = False
    """Whether a variable is looked up by a name that is not written down."""

    def check(self, document: Document, place: Place, text: str, scope: Scope) -> Iterator[Finding]:
        """What is wrong with the expressions in the text at a place."""
        try:
            found = self.evaluator.inspect(text, scope.functions)
        except ExpressionFailed as error:
            yield document.find(place, f"this expression does not compile: {_one_line(error)}", "mend its syntax")
            return
        for named in found:
            yield from (document.find(place, what, mend) for what, mend in self._judge(named, scope))

    def _judge(self, named: Named, scope: Scope) -> Iterator[tuple[str, str]]:
        for function in named.calls:
            known = (*_UTILITIES, *scope.functions)
            if function not in known:
                yield f"there is no function {function} here", use_instead(function, known)
        for path in named.paths:
            yield from self._judge_path(path, scope)

    def _judge_path(self, path: tuple[str, ...], scope: Scope) -> Iterator[tuple[str, str]]:
        match path:
            case ("vars", *inner):
                yield from self._judge_variable(inner, scope)
            case ("ctx", *inner):
                if not any(_agree(tuple(inner), known) for known in scope.context):
                    known = [".".join(("ctx", *each)) for each in scope.context]
                    yield f"there is no {'.'.join(path)} here", use_instead(".".join(path), known)
            case ("outputs", *inner) if scope.outputs is not None:
                yield from _judge_output("outputs", inner, scope.outputs)
            case ("task", "outputs", *inner) if scope.task_outputs is not None:
                yield from _judge_output("task.outputs", inner, scope.task_outputs)
            case (root, *_) if root not in scope.roots:
                yield f"there is nothing called {root} here", use_instead(root, scope.roots)

    def _judge_variable(self, path: Sequence[str], scope: Scope) -> Iterator[tuple[str, str]]:
        if not path:
            self.uses_any = True
            return
        name = path[0]
        self.used.add(name)
        if name not in scope.variables:
            yield f"no variable {name} is defined for vars.{name}", _define(name, scope.variables)


def _judge_output(where: str, path: Sequence[str], earlier: Sequence[str]) -> Iterator[tuple[str, str]]:
    if path and path[0] not in earlier:
        yield f"no earlier step has the alias {path[0]} of {where}", use_instead(path[0], earlier)


def _agree(path: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether a path leads to something known, or to what it is part of."""
    return path == known[: len(path)]


def _define(name: str, known: Iterable[str]) -> str:
    likely = get_close_matches(name, list(known), n=1)
    return f"use vars.{likely[0]}" if likely else f"define {name} in spec.vars"


def _one_line(error: ExpressionFailed) -> str:
    return error.what.partition("\n")[0]
