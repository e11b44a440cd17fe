"""Python packages for an image: installed by this machine's pip, for the image's Python."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import run
from gitops_e2e.progress import doing

_BOUND = 600.0
# Wheels say which glibc they need at least; pip takes those it is told of, and no others.
_GLIBC = ("2_17", "2_28", "2_34")


def python_packages(cache: Cache, requirements: Path, python: str) -> Path:
    """A folder with all packages that the file pins, by hash, for a Python such as "3.13"; installed if missing.

    Only wheels are taken: nothing is built, and nothing of a package runs. Raises CommandFailed.
    """
    machine = platform.machine()
    key = digest(requirements, python, machine)

    def install(folder: Path) -> None:
        with doing(f"installing Python packages of {requirements.parent.name} for Python {python}"):
            run(
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                    *("--require-hashes", "--only-binary=:all:", "--no-compile", "--root-user-action=ignore"),
                    *(f"--python-version={python}", "--implementation=cp"),
                    *(f"--platform=manylinux_{version}_{machine}" for version in _GLIBC),
                    *(f"--platform=manylinux2014_{machine}", f"--target={folder}", f"--requirement={requirements}"),
                ],
                timeout=_BOUND,
                remedy="see what pip complains of: the package index may be out of reach",
            )

    return cache.entry("python-packages", key, install)
