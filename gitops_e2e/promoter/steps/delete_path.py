"""`delete`: remove a file, a directory or a symbolic link (behaviour file, 6.11)."""

from __future__ import annotations

import shutil

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.steps.files import refusal
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import escapes, relative, secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, TRUTH, some, strict


def _run(context: StepContext) -> StepResult:
    given = context.config["path"]
    if escapes(given):
        reason = "path attempts to traverse outside the working directory"
        raise StepError(f"could not secure join path {quote(given)}: {reason}")
    path = secure_join(context.work_dir, given, follow_last=False)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=not context.config.get("strict", False))
    except OSError as error:
        reason = refusal(error, "lstat", relative(path, context.work_dir))
        raise StepError(f"failed to delete {quote(given)}: {reason}") from error
    return StepResult()


DELETE = StepKind(
    name="delete",
    schema=strict({"path": some(TEXT), "strict": TRUTH}, "path"),
    run=_run,
)
