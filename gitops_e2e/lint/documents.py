"""YAML files that still know on which line each of their values stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.lint.finding import Finding

Place = tuple[str | int, ...]
"""Where a value is in a document: the keys and indices that lead to it."""


@dataclass(frozen=True)
class Document:
    """One document of a YAML file, named as `file` relative to the checkout.

    `lines` has the line of each value's key, or of the item of a list; `texts` the line on which a scalar's own text
    begins, which for a block scalar is the one after its key.
    """

    file: str
    content: Any
    lines: Mapping[Place, int]
    texts: Mapping[Place, int]

    @property
    def manifest(self) -> dict[str, Any]:
        """The content, where it is an object."""
        return self.content if isinstance(self.content, dict) else {}

    def line(self, place: Place) -> int:
        """The line of what is at the place, else of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def find(self, place: Place, what: str, mend: str) -> Finding:
        """Something wrong at the place."""
        return Finding(self.file, self.line(place), what, mend)

    def texts_of(self, place: Place) -> Iterator[tuple[Place, str]]:
        """Each text at the place or inside of it."""
        return texts(value_at(self.content, place), place)

    def inside(self, place: Place) -> list[Document]:
        """The documents in the text at the place, such as an inline patch; none where it does not parse."""
        try:
            inner, _ = parse(self.file, value_at(self.content, place), before=self.texts[place] - 1)
        except yaml.YAMLError:
            return []
        return inner


@dataclass
class _Reader:
    """Walks the nodes of one document."""

    file: str
    before: int
    lines: dict[Place, int] = field(default_factory=dict)
    texts: dict[Place, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def read(self, node: yaml.Node, place: Place = ()) -> None:
        self.lines.setdefault(place, self._line(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, key.value)
                if inner in self.lines:
                    first = self.lines[inner]
                    self.findings.append(
                        Finding(
                            self.file,
                            self._line(key),
                            f"{dotted(inner)} is given twice, and only the last one counts",
                            f"remove this one or that of line {first}",
                        )
                    )
                self.lines[inner] = self._line(key)
                self.read(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.read(item, (*place, index))
        elif isinstance(node, yaml.ScalarNode):
            self.texts[place] = self._line(node) + (1 if node.style in {"|", ">"} else 0)

    def _line(self, node: yaml.Node) -> int:
        line: int = node.start_mark.line
        return self.before + line + 1


def parse(file: str, text: str, *, before: int = 0) -> tuple[list[Document], list[Finding]]:
    """The documents of a text that begins after so many lines of the file. Raises yaml.YAMLError."""
    documents, findings = [], []
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_node():
            if (node := loader.get_node()) is None:
                continue
            reader = _Reader(file, before)
            reader.read(node)
            findings += reader.findings
            content = loader.construct_document(node)
            if content is not None:
                documents.append(Document(file, content, reader.lines, reader.texts))
    finally:
        loader.dispose()
    return documents, findings


def read(root: Path, path: Path) -> tuple[list[Document], list[Finding]]:
    """The documents of a file, or why there are none."""
    file = str(path.relative_to(root))
    try:
        return parse(file, path.read_text())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else 1
        return [], [Finding(file, line, f"this is no YAML: {problem}", "mend it by what the line before it opens")]


def value_at(content: Any, place: Place, default: Any = None) -> Any:
    """What is at the place of a document's content, or the default."""
    for step in place:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return default
    return content


def values(content: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Each value of a content with its place, from the outside to the inside."""
    yield place, content
    if isinstance(content, dict):
        for key, value in content.items():
            yield from values(value, (*place, key))
    elif isinstance(content, list):
        for index, item in enumerate(content):
            yield from values(item, (*place, index))


def texts(content: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Each text of a content with its place."""
    return ((where, value) for where, value in values(content, place) if isinstance(value, str))


def dotted(place: Place) -> str:
    """A place as people write it: `spec.steps[2].config`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")
