"""`git-push`: push what was committed, on top of what others pushed meanwhile (behaviour file, 6.6)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from gitops_e2e.promoter.api.urls import normalized_git_url
from gitops_e2e.promoter.steps.git import CommandRefused, WorkingTree
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.schemas import EMPTY, TEXT, TRUTH, some, strict

_ATTEMPTS = 10
_FIRST_PAUSE, _FACTOR, _LONGEST_PAUSE = 1.0, 1.5, 30.0
# The last two are the same race, lost in the server between its look at the branch and its update.
_OVERTAKEN = re.compile(
    r"^\s*! \[(remote )?rejected\].*"
    r"\((non-fast-forward|fetch first|cannot lock ref.*|incorrect old value provided)\)\s*$",
    re.MULTILINE,
)
_COMMIT_PATHS = {"azure": "commit", "bitbucket": "commits", "gitea": "commit", "github": "commit", "gitlab": "-/commit"}


def _run(context: StepContext) -> StepResult:
    tree = WorkingTree.load(context)
    config = context.config
    generated = config.get("generateTargetBranch", False)
    try:
        branch = f"kargo/promotion/{context.promotion}" if generated else config.get("targetBranch") or tree.branch
        _push_repeatedly(tree, branch, force=generated, attempts=config.get("maxAttempts") or _ATTEMPTS)
        commit = tree.head
    except StepError as error:
        raise StepError(f"error pushing commits to remote: {error.what}") from error
    url = _commit_url(tree.url, config.get("provider"), commit)
    return StepResult(output={"branch": branch, "commit": commit, "commitURL": url})


class _Overtaken(StepError):
    """Somebody else's commit came between the look at the branch and the push."""


def _push_repeatedly(tree: WorkingTree, branch: str, *, force: bool, attempts: int) -> None:
    for left, pause in zip(reversed(range(attempts)), _pauses(), strict=False):
        try:
            _push(tree, branch, force=force)
        except _Overtaken:
            if left == 0:
                raise
            time.sleep(pause)
        else:
            return


def _push(tree: WorkingTree, branch: str, *, force: bool) -> None:
    if tree.has_remote_branch(branch):
        try:
            tree.git("pull", "--rebase", "origin", branch)
        except CommandRefused as error:
            raise StepError(f"error pulling and rebasing branch: {error.what}") from error
    try:
        tree.git("push", "origin", f"HEAD:{branch}", *(["--force"] if force else []))
    except CommandRefused as error:
        if _OVERTAKEN.search(error.output):
            raise _Overtaken("error pushing branch: non-fast-forward") from error
        raise StepError(f"error pushing branch: {error.what}") from error


def _pauses() -> Iterator[float]:
    """Seconds between attempts: growing, with a random part so that two who race do not meet again."""
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(1.0, 1.1)  # noqa: S311 - nothing to be kept secret
        pause = min(pause * _FACTOR, _LONGEST_PAUSE)


def _commit_url(repo_url: str, provider: str | None, commit: str) -> str:
    parts = urlsplit(normalized_git_url(repo_url))
    host = parts.hostname or ""
    provider = provider or next((name for name in _COMMIT_PATHS if name in host), None)
    return f"https://{host}{parts.path}/{_COMMIT_PATHS[provider]}/{commit}" if provider else ""


_TARGETS = [
    {
        "properties": {"generateTargetBranch": {"enum": [True]}, "targetBranch": EMPTY},
        "required": ["generateTargetBranch"],
    },
    {"properties": {"generateTargetBranch": {"enum": [False, None]}}},
]

GIT_PUSH = StepKind(
    name="git-push",
    schema={
        **strict(
            {
                "generateTargetBranch": TRUTH,
                "maxAttempts": {"type": "integer", "minimum": 1, "maximum": 2147483647},
                "path": some(TEXT),
                "provider": {"enum": list(_COMMIT_PATHS)},
                "targetBranch": TEXT,
            },
            "path",
        ),
        "oneOf": _TARGETS,
    },
    run=_run,
)
