"""The options in `pytest.ini`, as pytest itself takes them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from iniconfig import IniConfig

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.lint.finding import Finding

_FILE = "pytest.ini"
_SECTION = "pytest"
_BOUND = 120.0
_UNKNOWN = re.compile(r"Unknown config option: (?P<name>\S+)")
_SAID = re.compile(r"(?:ERROR|error): (?P<what>.+)")


def check(root: Path) -> Iterator[Finding]:
    """Let pytest collect the features, with every option that it does not know an error."""
    if not (root / _FILE).is_file():
        return
    argv = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--strict-config", "-p", "no:cacheprovider"]
    try:
        run([*argv, "features"], cwd=root, timeout=_BOUND)
    except CommandFailed as error:
        yield from _findings(IniConfig(root / _FILE), error)


def _findings(options: IniConfig, error: CommandFailed) -> Iterator[Finding]:
    unknown = {match["name"] for match in _UNKNOWN.finditer(error.output)}
    for name in sorted(unknown):
        line = options.lineof(_SECTION, name) or 1
        yield Finding(_FILE, line, f"pytest knows no option {name}", "mend its name: `pytest --help` lists them all")
    if not unknown:
        said = [match["what"] for match in _SAID.finditer(error.output)] or error.output.strip().splitlines()[-1:]
        line = options.lineof(_SECTION, "addopts") or 1
        what = f"pytest cannot collect the features with these options: {'; '.join(said)}"
        yield Finding(_FILE, line, what, "see `pytest --collect-only features`")
