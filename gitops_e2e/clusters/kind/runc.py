"""runc for machines whose root lacks CAP_SYS_RESOURCE: `python -S runc.py RUNC ARGUMENT…`

A container cannot be given a capability that its engine does not have: runc then fails with "unable to apply caps",
even for `docker run --privileged`, which means no more than all capabilities there are. So this takes that one out of
what is asked for, and becomes runc.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LACKING = "CAP_SYS_RESOURCE"
_CREATING = ("create", "run")


def main(runc: str, *arguments: str) -> None:
    """Change the file that names the capabilities, and become runc."""
    file = _specification(arguments)
    if file:
        specification: dict[str, Any] = json.loads(file.read_text())
        _without_lacking(specification.get("process", specification))
        file.write_text(json.dumps(specification))
    os.execv(runc, [runc, *arguments])


def _specification(arguments: Sequence[str]) -> Path | None:
    """The file: a bundle's `config.json` for a new container, the given one for a command in a running one."""
    if any(word in arguments for word in _CREATING):
        return Path(_option(arguments, "--bundle", "-b") or ".") / "config.json"
    given = _option(arguments, "--process", "-p") if "exec" in arguments else None
    return Path(given) if given else None


def _option(arguments: Sequence[str], *names: str) -> str | None:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, separator, value = word.partition("=")
        if name in names:
            return value if separator else following
    return None


def _without_lacking(process: dict[str, Any]) -> None:
    for kind, names in (process.get("capabilities") or {}).items():
        process["capabilities"][kind] = [name for name in names if name != _LACKING]


if __name__ == "__main__":
    main(*sys.argv[1:])
