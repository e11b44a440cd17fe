"""The Go command `expr`: expr-lang 1.17.6 and its like, spoken to over a pipe.

Kargo evaluates with this very library, so results and messages are the same to the letter.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.expressions.functions import Function
from gitops_e2e.promoter.expressions.process import LineProcess

_UTILITIES = ("quote", "unsafeQuote", "semverDiff")
_WITH_FREIGHT = "warehouse"  # makes the argument of imageFrom and its like
_ANSWER_SECONDS = 30.0


class ExpressionFailed(HarnessError):
    """What was asked has no value; the text is the Go library's own."""


class CompilationFailed(ExpressionFailed):
    """The expression is not well-formed, or names something that cannot be there."""


class ResponseUnreadable(ExpressionFailed):
    """An HTTP answer came whose body expressions cannot see."""


_FAILURES = {"compile": CompilationFailed, "response": ResponseUnreadable}


@dataclass(frozen=True)
class Response:
    """An HTTP answer as expressions see it. `headers` by canonical name; `body` is parsed JSON."""

    status: int
    headers: Mapping[str, Sequence[str]]
    body: Any


@dataclass(frozen=True)
class Environment:
    """What an expression can name.

    `data` are plain JSON values by name, `times` RFC 3339 times, which become Go's. `step_metas` become the objects
    `stepMetas` with Go field names, `response` the object of the http step. `functions` run here; only the names
    that the Go command knows can be given, as it has their types.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    functions: Mapping[str, Function] = field(default_factory=dict)
    step_metas: Mapping[str, Mapping[str, Any]] | None = None
    response: Response | None = None


@dataclass(frozen=True)
class Result:
    """The value of a bare expression, as JSON, and the name of its Go type."""

    value: Any
    go_type: str


@dataclass(frozen=True)
class Named:
    """What an expression names: data by its path, such as `("vars", "gitRepo")`, and functions it calls.

    expr-lang's own functions are not among them.
    """

    paths: tuple[tuple[str, ...], ...]
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Edited:
    """A text after edits, and each edit's value as it stands in it."""

    text: str
    written: tuple[str, ...]


class Evaluator:
    """Renders templates, evaluates expressions, validates and edits documents. Safe to share between threads.

    One request is under way at a time: each takes well below a millisecond, but for functions that have to ask
    the API server. Every method raises ExpressionFailed.
    """

    def __init__(self, command: Path) -> None:
        self._argv = [str(command)]
        self._process = LineProcess(self._argv)
        self._turn = threading.Lock()

    def close(self) -> None:
        """End the Go command; the next request would start it again."""
        with self._turn:
            self._process.end()

    def render(self, template: Any, environment: Environment) -> Any:
        """A JSON value with every string value in it rendered: `${{ }}` evaluated, the result typed by its looks."""
        local = [*_UTILITIES, *([_WITH_FREIGHT] if "imageFrom" in environment.functions else [])]
        request = {"operation": "render", "template": template, "environment": _encoded(environment, local)}
        return self._ask(request, environment.functions)

    def evaluate(self, expression: str, environment: Environment, *, closed: bool = False) -> Result:
        """The value of one bare expression.

        In a `closed` environment every name must be known, else CompilationFailed; in an open one an unknown
        name is null.
        """
        request = {
            "operation": "evaluate",
            "expression": expression,
            "environment": _encoded(environment, []),
            "closed": closed,
        }
        answer = self._ask(request, environment.functions)
        return Result(answer["result"], answer["type"])

    def inspect(self, template: str, functions: Iterable[str]) -> list[Named]:
        """What each expression of a template names. None is evaluated, but all are compiled.

        Calls of the given functions are checked against their types; any other function may be called.
        """
        found = self._ask({"operation": "inspect", "template": template, "functions": [*_UTILITIES, *functions]})
        return [Named(tuple(map(tuple, each["paths"])), tuple(each["calls"])) for each in found]

    def holds(self, condition: str, *, result: Any = None, samples: Sequence[str] | None = None) -> bool:
        """Whether a condition of an AnalysisTemplate's metric holds, as Argo Rollouts 1.9 evaluates it.

        `samples` are the numbers that Prometheus answers with ("NaN" may be one); `result` is another provider's
        JSON value.
        """
        request = {"operation": "holds", "condition": condition, "result": result, "samples": samples}
        truth: bool = self._ask(request)
        return truth

    def validate(self, schema: Mapping[str, Any], document: Any) -> list[str]:
        """What a JSON schema has against a document, each complaint as `<field>: <text>`."""
        complaints: list[str] = self._ask({"operation": "validate", "schema": schema, "document": document})
        return complaints

    def send(self, request: Mapping[str, Any], *, seconds: float) -> Response:
        """Make an HTTP request as Go's client does; its fields are those of the http step's config.

        It has a process of its own, so that others do not wait. Raises ResponseUnreadable when an answer came
        that cannot be read, and ExpressionFailed, with the client's words, when none came.
        """
        process = LineProcess(self._argv)
        try:
            line = json.dumps({"operation": "send", "seconds": seconds, **request})
            message = json.loads(process.exchange(line, timeout=seconds + _ANSWER_SECONDS))
        finally:
            process.end()
        answer = _value(message)
        return Response(answer["status"], answer["headers"], answer["body"])

    def parse_yaml(self, text: str) -> Any:
        """The first document of a YAML text."""
        return self._ask({"operation": "parseYAML", "text": text})

    def edit_yaml(self, text: str, updates: Sequence[Mapping[str, Any]]) -> Edited:
        """Set scalars, by `{key, value}` with dotted keys, in the first document; the rest is kept to the byte."""
        return _edited(self._ask({"operation": "editYAML", "text": text, "updates": updates}))

    def edit_json(self, text: str, updates: Sequence[Mapping[str, Any]]) -> Edited:
        """Set scalars, by `{key, value}` with sjson's paths, creating what is missing."""
        return _edited(self._ask({"operation": "editJSON", "text": text, "updates": updates}))

    def set_images(self, text: str, images: Sequence[Mapping[str, str]]) -> tuple[str, list[dict[str, str]]]:
        """A kustomization with image entries in place of those of the same name; its text and all its entries."""
        answer = self._ask({"operation": "setImages", "text": text, "images": images})
        return answer["text"], answer["images"]

    def _ask(self, request: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> Any:
        with self._turn:
            try:
                message = self._exchange(request)
                while call := message.get("call"):
                    message = self._exchange(_reply(functions or {}, call["name"], call["arguments"]))
            except BaseException:
                self._process.end()  # it would take the next request for the reply it waits for
                raise
        return _value(message)

    def _exchange(self, message: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._process.exchange(json.dumps(message), timeout=_ANSWER_SECONDS))
        return answer


def _encoded(environment: Environment, local: list[str]) -> dict[str, Any]:
    response = environment.response
    return {
        "data": environment.data,
        "times": environment.times,
        "functions": [*local, *environment.functions],
        "stepMetas": environment.step_metas,
        "response": response and {"status": response.status, "headers": response.headers, "body": response.body},
    }


def _reply(functions: Mapping[str, Function], name: str, arguments: list[Any]) -> dict[str, Any]:
    try:
        return {"value": functions[name](*arguments)}
    except HarnessError as error:
        return {"error": error.what}


def _value(message: Mapping[str, Any]) -> Any:
    if error := message.get("error"):
        raise _FAILURES.get(error.get("phase"), ExpressionFailed)(error["message"])
    return message["value"]


def _edited(answer: Mapping[str, Any]) -> Edited:
    return Edited(answer["text"], tuple(answer["written"]))
