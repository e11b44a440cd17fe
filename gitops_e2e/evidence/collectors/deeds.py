"""What the harness did during a scenario: the commands that it ran, and the manifests that it applied."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from gitops_e2e.deeds import Applied, Ran
from gitops_e2e.evidence.scene import Piece, Scene


def commands(scene: Scene) -> Iterator[Piece]:
    """Each command with the time when it ended, how long it took, and its exit code."""
    ran = [deed for deed in scene.deeds if isinstance(deed, Ran)]
    yield Piece("commands.txt", "".join(f"{_told(each)}\n" for each in ran))


def manifests(scene: Scene) -> Iterator[Piece]:
    """Each manifest as a diff against what was last applied under that name, and each patch as it is."""
    before: dict[str, list[str]] = {}
    lines: list[str] = []
    for deed in scene.deeds:
        if isinstance(deed, Applied):
            lines.append(f"# {deed.at:%H:%M:%S} {deed.verb} {deed.object}")
            now = _yaml(deed.manifest)
            if deed.verb == "patched":
                lines += [f"+{line}" for line in now]
            else:
                lines += difflib.unified_diff(before.get(deed.object, []), now, deed.object, deed.object, lineterm="")
                before[deed.object] = now
    yield Piece("manifests/applied.diff", "".join(f"{line}\n" for line in lines))


def _told(command: Ran) -> str:
    code = "ended, as it took too long" if command.exit_code is None else f"exit code {command.exit_code}"
    return f"{command.ended:%H:%M:%S} {command.seconds:7.3f} s  {code}  {shlex.join(command.argv)}"


def _yaml(manifest: Mapping[str, Any]) -> list[str]:
    return yaml.safe_dump(dict(manifest), sort_keys=False, width=10_000).splitlines()
