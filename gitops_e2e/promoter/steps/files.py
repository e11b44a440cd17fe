"""What the steps that touch files share: reading, and the words for what the file system refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.steps.model import StepError


def read_text(path: Path, what: str) -> str:
    """The text of a file; `what` is what messages call it. Raises StepError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StepError(f"error reading {what} {quote(str(path))}: {refusal(error, 'open', path)}") from error
    except UnicodeDecodeError as error:
        raise StepError(f"error reading {what} {quote(str(path))}: {error}") from error


def refusal(error: OSError, call: str, path: str | Path) -> str:
    """The text of Go's os.PathError: the call, the path and the reason in small letters."""
    reason = (error.strerror or str(error)).lower()
    return f"{call} {path}: {reason}"


def commit_message(path: str, updates: Sequence[Mapping[str, Any]], written: Sequence[str]) -> str:
    """What is proposed to be said of updates to a file: each key with its value as written."""
    lines = [f"- {update['key']}: {value}" for update, value in zip(updates, written, strict=True)]
    return "\n".join([f"Updated {path}", "", *lines])
