"""`copy`: copy a file, or the content of a directory (behaviour file, 6.9)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pathspec import GitIgnoreSpec

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.steps.files import refusal
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import relative, secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, some, strict

_ALWAYS_IGNORED = ".git"


def _run(context: StepContext) -> StepResult:
    given, wanted = context.config["inPath"], context.config["outPath"]
    source, target = secure_join(context.work_dir, given), secure_join(context.work_dir, wanted)
    ignored = GitIgnoreSpec.from_lines([_ALWAYS_IGNORED, *context.config.get("ignore", "").splitlines()])
    try:
        if not source.exists():
            raise FileNotFoundError(2, "No such file or directory")
        _copy(source, target, ignored)
    except OSError as error:
        reason = refusal(error, "lstat", relative(source, context.work_dir))
        raise StepError(f"failed to copy {quote(given)} to {quote(wanted)}: {reason}") from error
    return StepResult()


def _copy(source: Path, target: Path, ignored: GitIgnoreSpec) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return
    target.mkdir(parents=True, exist_ok=True)
    for folder, folders, files in os.walk(source):
        here = Path(folder).relative_to(source)
        folders[:] = [name for name in folders if _is_wanted(source, here / name, ignored)]
        for name in folders:
            (target / here / name).mkdir(exist_ok=True)
        for name in files:
            if _is_wanted(source, here / name, ignored):
                shutil.copy(source / here / name, target / here / name)


def _is_wanted(root: Path, path: Path, ignored: GitIgnoreSpec) -> bool:
    entry = root / path
    return not entry.is_symlink() and not ignored.match_file(f"{path}/" if entry.is_dir() else path)


COPY = StepKind(
    name="copy",
    schema=strict({"ignore": TEXT, "inPath": some(TEXT), "outPath": some(TEXT)}, "inPath", "outPath"),
    run=_run,
)
