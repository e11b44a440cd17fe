"""`yaml-update`: set values in a YAML file, the rest of it kept as it is written (behaviour file, 6.10)."""

from __future__ import annotations

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.expressions import ExpressionFailed
from gitops_e2e.promoter.steps.files import commit_message, read_text
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, several, some, strict


def _run(context: StepContext) -> StepResult:
    given, updates = context.config["path"], context.config["updates"]
    path = secure_join(context.work_dir, given)
    where = f"values file update failed: error updating image references in values file {quote(given)}"
    try:
        text = read_text(path, "file")
        edited = context.services.evaluator.edit_yaml(text, updates)
    except StepError as error:
        raise StepError(f"{where}: {error.what}") from error
    except ExpressionFailed as error:
        raise StepError(f"{where}: error mutating bytes: {error.what}") from error
    path.write_text(edited.text, encoding="utf-8")
    return StepResult(output={"commitMessage": commit_message(given, updates, edited.written)})


YAML_UPDATE = StepKind(
    name="yaml-update",
    schema=strict(
        {"path": some(TEXT), "updates": several(strict({"key": some(TEXT), "value": {}}, "key", "value"))},
        "path",
        "updates",
    ),
    run=_run,
)
