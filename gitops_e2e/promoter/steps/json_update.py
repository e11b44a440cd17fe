"""`json-update`: set scalar values in a JSON file (behaviour file, 6.11)."""

from __future__ import annotations

from gitops_e2e.promoter.expressions import ExpressionFailed
from gitops_e2e.promoter.steps.files import commit_message, read_text
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, several, some, strict


def _run(context: StepContext) -> StepResult:
    given, updates = context.config["path"], context.config["updates"]
    path = secure_join(context.work_dir, given)
    try:
        edited = context.services.evaluator.edit_json(read_text(path, "JSON file"), updates)
    except (StepError, ExpressionFailed) as error:
        raise StepError(f"JSON file update failed: {error.what}") from error
    path.write_text(edited.text, encoding="utf-8")
    return StepResult(output={"commitMessage": commit_message(given, updates, edited.written)})


JSON_UPDATE = StepKind(
    name="json-update",
    schema=strict(
        {"path": some(TEXT), "updates": several(strict({"key": some(TEXT), "value": {}}, "key", "value"))},
        "path",
        "updates",
    ),
    run=_run,
)
