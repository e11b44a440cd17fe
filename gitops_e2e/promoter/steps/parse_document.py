"""`yaml-parse` and `json-parse`: outputs from expressions over a document (behaviour file, 6.11)."""

from __future__ import annotations

import json
from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.expressions import CompilationFailed, Environment, Evaluator, ExpressionFailed
from gitops_e2e.promoter.steps.files import read_text
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, several, some, strict


def _run(context: StepContext, language: str) -> StepResult:
    given = context.config["path"]
    text = read_text(secure_join(context.work_dir, given), f"{language} file")
    if not text.strip():
        raise StepError(f"could not parse empty {language} file: {given}")
    evaluator = context.services.evaluator
    try:
        document = json.loads(text) if language == "JSON" else evaluator.parse_yaml(text)
    except (ValueError, ExpressionFailed) as error:
        raise StepError(f"could not parse {language} file: {error}") from error
    if not isinstance(document, dict):
        raise StepError(f"could not parse {language} file: {given} is not a mapping")
    outputs = {
        entry["name"]: _value(evaluator, entry["fromExpression"], document) for entry in context.config["outputs"]
    }
    return StepResult(output=outputs)


def _value(evaluator: Evaluator, expression: str, document: dict[str, Any]) -> Any:
    try:
        return evaluator.evaluate(expression, Environment(data=document), closed=True).value
    except CompilationFailed as error:
        raise StepError(
            f"failed to extract outputs: error compiling expression {quote(expression)}: {error.what}"
        ) from error
    except ExpressionFailed as error:
        raise StepError(
            f"failed to extract outputs: error evaluating expression {quote(expression)}: {error.what}"
        ) from error


_SCHEMA = strict(
    {
        "outputs": several(strict({"fromExpression": some(TEXT), "name": some(TEXT)}, "fromExpression", "name")),
        "path": some(TEXT),
    },
    "outputs",
    "path",
)

YAML_PARSE = StepKind("yaml-parse", _SCHEMA, lambda context: _run(context, "YAML"))
JSON_PARSE = StepKind("json-parse", _SCHEMA, lambda context: _run(context, "JSON"))
