"""What a go.mod file says, read without running Go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MAJOR_SUFFIX = re.compile(r"v[0-9]+")


@dataclass(frozen=True)
class GoMod:
    """The parts of a go.mod file that matter here.

    `go` is the oldest Go that builds it ("1.25.5"); `tools` are package paths;
    `requirements` maps module paths to versions ("v3.2.11").
    """

    go: str
    tools: tuple[str, ...]
    requirements: Mapping[str, str]

    @staticmethod
    def read(path: Path) -> GoMod:
        """Parse the file; only what the `go` command itself writes is understood."""
        go, tools, requirements = "", [], {}
        for directive, words in _directives(path.read_text()):
            if directive == "go":
                go = words[0]
            elif directive == "tool":
                tools.append(words[0])
            elif directive == "require":
                requirements[words[0]] = words[1]
        return GoMod(go, tuple(tools), requirements)


def command_name(package: str) -> str:
    """The name `go install` gives the command of a package: its last element that is no major version."""
    *_, before, last = package.split("/")
    return before if _MAJOR_SUFFIX.fullmatch(last) else last


def _directives(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each directive with its words, those in parentheses one by one."""
    block = ""
    for line in text.splitlines():
        words = line.partition("//")[0].split()
        if not words:
            continue
        if words == [")"]:
            block = ""
        elif words[-1] == "(":
            block = words[0]
        elif block:
            yield block, words
        else:
            yield words[0], words[1:]
