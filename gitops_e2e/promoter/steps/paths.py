"""Paths of a work directory that cannot lead out of it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from gitops_e2e.promoter.steps.model import StepError

_MOST_LINKS = 255


def secure_join(root: Path, path: str, *, follow_last: bool = True) -> Path:
    """The path below `root`, as if `root` were the root of the file system.

    `..` and absolute paths, in the path or in symbolic links on the way, stay below it. Whether what the path
    itself names is followed where it is a link, `follow_last` says.
    Raises StepError for links that never end.
    """
    found = PurePosixPath("/")
    rest = list(PurePosixPath(path).parts)
    links = 0
    while rest:
        part = rest.pop(0)
        if part == "/":
            found = PurePosixPath("/")
        elif part == "..":
            found = found.parent
        else:
            candidate = root / found.relative_to("/") / part
            if candidate.is_symlink() and (rest or follow_last):
                links += 1
                if links > _MOST_LINKS:
                    raise StepError(f"could not secure join path {path!r}: too many levels of symbolic links")
                rest = [*candidate.readlink().parts, *rest]
            else:
                found /= part
    return root / found.relative_to("/")


def escapes(path: str) -> bool:
    """Whether `..` in the path leads out of where it starts."""
    depth = 0
    for part in PurePosixPath(path).parts:
        depth += {"..": -1, "/": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def relative(path: Path, work_dir: Path) -> str:
    """The path as messages tell it: from the work directory."""
    return str(path.relative_to(work_dir))
