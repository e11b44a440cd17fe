"""Manifests as files: whether they parse, before anything is made of them."""

from __future__ import annotations

from pathlib import Path

import yaml

from gitops_e2e.errors import HarnessError


class ManifestError(HarnessError):
    """A file is no YAML."""


def require_parsable(folder: Path) -> None:
    """Read every YAML file below the folder. Raises ManifestError for the first that does not parse."""
    for path in sorted(folder.rglob("*.yaml")):
        try:
            list(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise ManifestError(
                f"this manifest does not parse: {error.problem}",
                where=f"{path}{line}",
                remedy="mend it, and run again",
            ) from error
