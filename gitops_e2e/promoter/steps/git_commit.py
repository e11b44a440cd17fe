"""`git-commit`: commit all that changed in a working tree (behaviour file, 6.5)."""

from __future__ import annotations

from collections.abc import Callable

from gitops_e2e.promoter.steps.git import CommandRefused, WorkingTree
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult, TerminalStepError
from gitops_e2e.promoter.steps.schemas import AUTHOR, TEXT, some, strict


def _run(context: StepContext) -> StepResult:
    tree = WorkingTree.load(context)
    author = context.config.get("author", {})
    if author.get("signingKey"):
        raise TerminalStepError("not supported by the embedded engine: git-commit with author.signingKey")
    _doing("error adding all changes to working tree", lambda: tree.git("add", "."))
    changes = _doing("error checking for diffs in working tree", lambda: tree.git("status", "-s"))
    if changes:
        identity = {
            f"GIT_{role}_{field}": author[field.lower()]
            for role in ("AUTHOR", "COMMITTER")
            for field in ("NAME", "EMAIL")
            if author
        }
        _doing(
            "error committing to working tree",
            lambda: tree.git("commit", "-m", context.config["message"], env=identity),
        )
    commit = _doing("error getting last commit ID from working tree", lambda: tree.head)
    return StepResult("Succeeded" if changes else "Skipped", output={"commit": commit})


def _doing(what: str, command: Callable[[], str]) -> str:
    try:
        return command()
    except CommandRefused as error:
        raise StepError(f"{what}: {error.what}") from error


GIT_COMMIT = StepKind(
    name="git-commit",
    schema=strict({"author": AUTHOR, "message": some(TEXT), "path": some(TEXT)}, "message", "path"),
    run=_run,
)
