"""Mutants: a correct pipeline broken in one way, as a patch below a few lines that say what a scenario makes of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.errors import HarnessError

ROOT = Path(__file__).parents[1]
PATCHES = Path(__file__).parent / "patches"
UNDER_TEST = ("manifests", "kargo", "product-api")
"""The folders that a pipeline is made from, which a patch may change."""

_BEGIN = re.compile(r"^--- ", re.MULTILINE)
_FIELD = re.compile(r"^(Scenario|Example|Says): *(.*)$", re.MULTILINE)
_CHANGED = re.compile(r"^\+\+\+ b/([^/\n]+)/", re.MULTILINE)
_NOT_COPIED = shutil.ignore_patterns("node_modules", "test")
_BOUND = 30.0


class MutantError(HarnessError):
    """A patch does not say what it has to, or does not fit what it is to break."""


@dataclass(frozen=True)
class Mutant:
    """One way in which the pipeline is wrong.

    `sentence` says which. `scenario` has to fail, in the row of its examples that has the cell `example`, where it is
    an outline; `says` are the words that must all be in its message.
    """

    name: str
    sentence: str
    scenario: str
    example: str
    says: tuple[str, ...]
    patch: Path

    @staticmethod
    def read(patch: Path) -> Mutant:
        """The mutant of a patch. Raises MutantError for what it does not say."""
        head = _BEGIN.split(patch.read_text(), maxsplit=1)[0]
        sentence = " ".join(head.partition("\n\n")[0].split())
        fields = _FIELD.findall(head)
        scenarios = [value for name, value in fields if name == "Scenario"]
        says = tuple(value for name, value in fields if name == "Says" and value)
        if not sentence or _FIELD.match(sentence) or len(scenarios) != 1 or not says:
            raise MutantError(
                "a mutant begins with a sentence, one line Scenario: and at least one line Says:",
                where=str(patch),
                remedy="write it as the others in its folder are",
            )
        example = next((value for name, value in fields if name == "Example"), "")
        return Mutant(patch.stem, sentence, scenarios[0], example, says, patch)

    @property
    def changed(self) -> frozenset[str]:
        """The folders of those under test that the patch changes."""
        return frozenset(_CHANGED.findall(self.patch.read_text()))

    def make(self, folder: Path) -> None:
        """Write what is under test into the folder, broken. Raises MutantError where the patch does not fit."""
        for each in UNDER_TEST:
            shutil.copytree(ROOT / each, folder / each, ignore=_NOT_COPIED)
        alone = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
        try:
            run(["git", "apply", "--whitespace=nowarn", self.patch], timeout=_BOUND, cwd=folder, env=alone)
        except CommandFailed as error:
            raise MutantError(
                f"the patch does not fit: {error.output.strip()}",
                where=str(self.patch),
                remedy="make it anew against what it is to break",
            ) from error


def all_mutants(folder: Path = PATCHES) -> Sequence[Mutant]:
    """All mutants by name. Raises MutantError."""
    return [Mutant.read(patch) for patch in sorted(folder.glob("*.patch"))]
