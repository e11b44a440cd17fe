"""`http`: send a request, and judge and read its answer by expressions (behaviour file, 6.8)."""

from __future__ import annotations

from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.expressions import (
    CompilationFailed,
    Environment,
    Evaluator,
    ExpressionFailed,
    Response,
    ResponseUnreadable,
)
from gitops_e2e.promoter.runtime.times import parse_duration
from gitops_e2e.promoter.steps.model import (
    StepContext,
    StepError,
    StepKind,
    StepResult,
    TerminalStepError,
)
from gitops_e2e.promoter.steps.schemas import TEXT, TRUTH, some, strict

_DEFAULT_METHOD, _DEFAULT_TIMEOUT = "GET", "10s"
_NOT_OF_THE_REQUEST = frozenset({"timeout", "outputs", "successExpression", "failureExpression"})


def _run(context: StepContext) -> StepResult:
    evaluator = context.services.evaluator
    response = _send(context)
    environment = Environment(response=response)
    success = _judge(evaluator, "success", context.config.get("successExpression"), environment)
    failure = _judge(evaluator, "failure", context.config.get("failureExpression"), environment)
    if failure:
        raise TerminalStepError(f"HTTP ({response.status}) response met failure criteria")
    if success is None and failure is None:
        success = 200 <= response.status < 300
        if not success:
            return StepResult("Failed")
    if not success:
        return StepResult("Running")
    return StepResult(
        output={
            entry["name"]: _output(evaluator, entry["fromExpression"], environment)
            for entry in context.config.get("outputs", [])
        }
    )


def _send(context: StepContext) -> Response:
    config = context.config
    try:
        seconds = parse_duration(config.get("timeout") or _DEFAULT_TIMEOUT).total_seconds()
    except ValueError as error:
        raise TerminalStepError(f"error parsing timeout: {error}") from error
    request = {"method": _DEFAULT_METHOD} | {key: config[key] for key in config if key not in _NOT_OF_THE_REQUEST}
    try:
        return context.services.evaluator.send(request, seconds=seconds)
    except ResponseUnreadable as error:
        raise StepError(f"error building expression context from HTTP response: {error.what}") from error
    except ExpressionFailed as error:
        raise StepError(f"error sending HTTP request: {error.what}") from error


def _judge(evaluator: Evaluator, kind: str, expression: str | None, environment: Environment) -> bool | None:
    """Whether the criterion is met; None where there is none."""
    if not expression:
        return None
    where = f"error evaluating {kind} criteria"
    try:
        result = evaluator.evaluate(expression, environment)
    except CompilationFailed as error:
        what = f"error compiling {kind} expression {quote(expression)}"
        raise TerminalStepError(f"{where}: {what}: {error.what}") from error
    except ExpressionFailed as error:
        what = f"error evaluating {kind} expression {quote(expression)}"
        raise StepError(f"{where}: {what}: {error.what}") from error
    if not isinstance(result.value, bool):
        what = f"{kind} expression {quote(expression)} did not evaluate to a boolean (got {result.go_type})"
        raise StepError(f"{where}: {what}")
    return result.value


def _output(evaluator: Evaluator, expression: str, environment: Environment) -> Any:
    where = "error extracting outputs from HTTP response"
    try:
        return evaluator.evaluate(expression, environment).value
    except CompilationFailed as error:
        raise TerminalStepError(f"{where}: error compiling expression {quote(expression)}: {error.what}") from error
    except ExpressionFailed as error:
        raise StepError(f"{where}: error evaluating expression {quote(expression)}: {error.what}") from error


_OUTPUT = strict({"fromExpression": some(TEXT), "name": some(TEXT)}, "fromExpression", "name")
_PAIRS = {"type": "array", "items": strict({"name": some(TEXT), "value": TEXT}, "name", "value")}

HTTP = StepKind(
    name="http",
    schema=strict(
        {
            "body": TEXT,
            "failureExpression": TEXT,
            "headers": _PAIRS,
            "insecureSkipTLSVerify": TRUTH,
            "method": {**TEXT, "pattern": "^(DELETE|GET|HEAD|PATCH|POST|PUT)$"},
            "outputs": {"type": "array", "items": _OUTPUT},
            "queryParams": _PAIRS,
            "successExpression": TEXT,
            "timeout": TEXT,
            "url": some(TEXT),
        },
        "url",
    ),
    run=_run,
)
