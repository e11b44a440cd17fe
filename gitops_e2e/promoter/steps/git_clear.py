"""`git-clear`: remove all files of a working tree but those that git ignores (behaviour file, 6.2)."""

from __future__ import annotations

from gitops_e2e.promoter.steps.git import CommandRefused, WorkingTree
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.schemas import TEXT, some, strict


def _run(context: StepContext) -> StepResult:
    tree = WorkingTree.load(context)
    try:
        tree.git("add", ".")
        tree.git("rm", "-rf", "--ignore-unmatch", ".")
    except CommandRefused as error:
        raise StepError(f"error clearing working tree at {context.config['path']}: {error.what}") from error
    # git removes the directories it empties, the topmost one too when a process is not inside it.
    tree.path.mkdir(exist_ok=True)
    return StepResult()


GIT_CLEAR = StepKind(name="git-clear", schema=strict({"path": some(TEXT)}, "path"), run=_run)
