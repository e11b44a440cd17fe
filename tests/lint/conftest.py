"""A copy of the checkout, to plant faults in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.lint import features
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.linting import Tools, objects
from gitops_e2e.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
_COPIED = ("features", "steps", "fixtures", "manifests", "kargo", "conftest.py", "pytest.ini")


@dataclass(frozen=True)
class Copy:
    """The copy of a checkout."""

    root: Path
    tools: Tools

    def write(self, file: str, text: str) -> None:
        """Let the file have that text."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def plant(self, file: str, old: str, new: str) -> None:
        """Replace a text that is there once."""
        text = (self.root / file).read_text()
        assert text.count(old) == 1, f"{file} has {text.count(old)} times: {old}"
        self.write(file, text.replace(old, new))

    def line(self, file: str, text: str, after: str = "") -> int:
        """The first line with that text, after the first with another one."""
        lines = (self.root / file).read_text().splitlines()
        first = next(number for number, line in enumerate(lines) if after in line)
        return next(number for number, line in enumerate(lines[first:], start=first + 1) if text in line)

    def features(self) -> list[Finding]:
        """What is wrong with the features and steps."""
        return sorted(set(features.check(self.root)))

    def objects(self) -> list[Finding]:
        """What is wrong with manifests and Kargo resources."""
        return sorted(set(objects(self.root, self.tools)))


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools.of(Toolchain(Cache.of_user()))


@pytest.fixture
def copy(tmp_path: Path, tools: Tools) -> Copy:
    for name in _COPIED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return Copy(tmp_path, tools)


def told(findings: Sequence[Finding]) -> str:
    """The findings as they are printed."""
    return "\n".join(map(str, findings))
