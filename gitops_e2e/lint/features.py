"""Features against the steps that pytest-bdd knows, which of itself tells little of what does not fit.

It drops the first of two scenarios with one name in a feature, takes any of several definitions that match a sentence,
and calls an `async` step without ever awaiting it, so that it passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser
from pytest_bdd.parser import render_string

from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.step_definitions import StepDefinition, StepDefinitions

_TYPES = {"Context": "given", "Action": "when", "Outcome": "then"}
_PLACEHOLDER = re.compile(r"<(.+?)>")


@dataclass(frozen=True)
class Sentence:
    """A step as a feature has it, an outline's with the values of a row put in: its line, type ("given") and text."""

    line: int
    type: str
    text: str


@dataclass(frozen=True)
class Scenario:
    """A scenario, at a line of its feature's file. `sentences` have those of backgrounds, and of every row."""

    file: str
    line: int
    name: str
    sentences: tuple[Sentence, ...]
    has_steps: bool

    @property
    def slug(self) -> str:
        """What a link to it is made of."""
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")


def check(root: Path) -> Iterator[Finding]:
    """All features of a checkout, and all steps that its `conftest.py` names."""
    definitions = StepDefinitions.load(root)
    yield from definitions.findings
    scenarios: list[Scenario] = []
    for path in sorted((root / "features").rglob("*.feature")):
        read, wrong = _read(root, path)
        scenarios += read
        yield from wrong
    yield from _names(scenarios)
    yield from _empty(scenarios)
    yield from _matches(scenarios, definitions.all)
    yield from (
        definition.find("this step is async: pytest-bdd never awaits it, so it always passes", "make it a plain def")
        for definition in definitions.all
        if definition.is_async
    )


# --- the scenarios


def _read(root: Path, path: Path) -> tuple[list[Scenario], list[Finding]]:
    file = str(path.relative_to(root))
    try:
        document: Any = Parser().parse(path.read_text(encoding="utf-8"))
    except CompositeParserException as error:
        return [], [_syntax(file, each) for each in error.errors]
    except ParserException as error:
        return [], [_syntax(file, error)]
    feature = document.get("feature")
    if feature is None:
        return [], [Finding(file, 1, "this file has no Feature", "begin it with Feature: and a name, or remove it")]
    reader = _Reader(file)
    return list(reader.scenarios(feature["children"], ())), reader.findings


def _syntax(file: str, error: ParserException) -> Finding:
    what = re.sub(r"^\(\d+:\d+\): ", "", str(error))
    return Finding(file, error.location["line"], f"this is no Gherkin: {what}", "mend this line, or the one before it")


class _Reader:
    """Turns what the parser gives into scenarios."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def scenarios(self, children: Sequence[Mapping[str, Any]], before: tuple[Sentence, ...]) -> Iterator[Scenario]:
        for child in children:
            if "background" in child:
                before += tuple(self._sentences(child["background"]["steps"]))
            elif "rule" in child:
                yield from self.scenarios(child["rule"]["children"], before)
            else:
                yield self._scenario(child["scenario"], before)

    def _scenario(self, scenario: Mapping[str, Any], before: tuple[Sentence, ...]) -> Scenario:
        steps = tuple(self._sentences(scenario["steps"]))
        line = scenario["location"]["line"]
        rows = [row for examples in scenario["examples"] for row in self._rows(examples, steps)]
        if scenario["examples"] and not rows:
            self._find(line, "no row of examples: this outline is never run", "add a row, or remove it")
        if not scenario["examples"]:
            rows = [{}]
        sentences = tuple(
            Sentence(each.line, each.type, render_string(each.text, row)) for row in rows for each in (*before, *steps)
        )
        return Scenario(self.file, line, scenario["name"], sentences, has_steps=bool(steps))

    def _rows(self, examples: Mapping[str, Any], steps: Sequence[Sentence]) -> Iterator[Mapping[str, str]]:
        header = examples.get("tableHeader")
        if header is None:
            return
        columns = [cell["value"] for cell in header["cells"]]
        for step in steps:
            for name in _PLACEHOLDER.findall(step.text):
                if name not in columns:
                    self._find(step.line, f"the examples have no column {name}", f"use one of: {', '.join(columns)}")
        for row in examples["tableBody"]:
            yield dict(zip(columns, (cell["value"] for cell in row["cells"]), strict=True))

    def _sentences(self, steps: Sequence[Mapping[str, Any]]) -> Iterator[Sentence]:
        current = ""
        for step in steps:
            current = _TYPES.get(step["keywordType"], current)
            line = step["location"]["line"]
            if current:
                yield Sentence(line, current, step["text"])
            else:
                first = step["keyword"].strip()
                self._find(line, f"the first step begins with {first}", "begin it with Given, When or Then")

    def _find(self, line: int, what: str, mend: str) -> None:
        self.findings.append(Finding(self.file, line, what, mend))


def _names(scenarios: Sequence[Scenario]) -> Iterator[Finding]:
    for _, same in groupby(sorted(scenarios, key=lambda each: each.slug), lambda each: each.slug):
        first, *others = sorted(same, key=lambda each: (each.file, each.line))
        for other in others:
            what = f"{first.file}:{first.line} has a scenario of the name {other.name!r}, too"
            yield Finding(other.file, other.line, what, "give each a name of its own")


def _empty(scenarios: Sequence[Scenario]) -> Iterator[Finding]:
    for scenario in scenarios:
        if not scenario.has_steps:
            yield Finding(scenario.file, scenario.line, "this scenario has no steps", "write them, or remove it")


# --- the steps


def _matches(scenarios: Sequence[Scenario], definitions: Sequence[StepDefinition]) -> Iterator[Finding]:
    used: set[StepDefinition] = set()
    matching: dict[tuple[str, str], list[StepDefinition]] = {}
    for scenario in scenarios:
        for sentence in scenario.sentences:
            key = (sentence.type, sentence.text)
            if key not in matching:
                matching[key] = [definition for definition in definitions if definition.matches(*key)]
            used.update(matching[key])
            yield from _judge(scenario, sentence, matching[key], definitions)
    for definition in definitions:
        if definition not in used:
            yield definition.find(f"no feature uses the step {definition.name!r}", "remove it, or use it")


def _judge(
    scenario: Scenario, sentence: Sentence, matching: Sequence[StepDefinition], definitions: Sequence[StepDefinition]
) -> Iterator[Finding]:
    said = f"{sentence.type.title()} {sentence.text}"
    if not matching:
        others = [each for each in definitions if each.fits(sentence.text)]
        what = f"no step is defined for: {said}"
        if others:
            mend = f"{others[0].place} defines it as {others[0].type.title()}: use that word, or define it anew"
        else:
            mend = "define it in steps/, or use the words of a step that is there"
        yield Finding(scenario.file, sentence.line, what, mend)
    elif len(matching) > 1:
        places = " and ".join(each.place for each in matching)
        what = f"more than one step is defined for: {said}"
        yield Finding(scenario.file, sentence.line, what, f"tell apart those of {places}")
