"""The features of a run as documents, and what became of each of their scenarios."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from cucumber_messages import (
    Background,
    Examples,
    Feature,
    GherkinDocument,
    Pickle,
    Rule,
    Scenario,
    TableRow,
    message_converter,
)
from gherkin.ast_builder import AstBuilder
from gherkin.errors import ParserError
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.stream.id_generator import IdGenerator

from gitops_e2e.report.record import FeatureRecord, RunRecord, ScenarioRecord, ScenarioStatus

Status = ScenarioStatus | Literal["not run"]

BAD: frozenset[Status] = frozenset({"failed", "error", "undefined", "interrupted"})
"""What makes a person look."""


@dataclass(frozen=True)
class Case:
    """One scenario, or one row of its examples, and its attempts in this run, oldest first.

    `id` is stable between runs: the feature's path, the scenario's name, and the row's values, as slugs.
    """

    id: str
    uri: str
    feature: Feature
    rule: Rule | None
    scenario: Scenario
    examples: Examples | None
    row: TableRow | None
    pickle: Pickle
    attempts: tuple[ScenarioRecord, ...]

    @property
    def name(self) -> str:
        """Its name, with the row's values in it."""
        return self.pickle.name

    @property
    def values(self) -> Sequence[str]:
        """The row's values."""
        return [cell.value for cell in self.row.cells] if self.row else []

    @property
    def tags(self) -> Sequence[str]:
        """Its tags, and those it inherits, without the @."""
        return list(dict.fromkeys(tag.name.removeprefix("@") for tag in self.pickle.tags))

    @property
    def line(self) -> int:
        """Where it stands in the feature."""
        return (self.row or self.scenario).location.line

    @property
    def last(self) -> ScenarioRecord | None:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else None

    @property
    def status(self) -> Status:
        """What became of it."""
        return self.last.status if self.last else "not run"

    @property
    def seconds(self) -> float:
        """How long the attempt that counts took."""
        return self.last.seconds if self.last else 0.0


@dataclass(frozen=True)
class Document:
    """One feature file: its text, what the parser makes of it, and its cases in the order in which they stand.

    `error` is what the parser says where it makes nothing of it.
    """

    uri: str
    text: str
    gherkin: GherkinDocument
    cases: tuple[Case, ...]
    error: str = ""

    @property
    def slug(self) -> str:
        """Its part of stable links."""
        return _path_slug(self.uri)

    @property
    def feature(self) -> Feature | None:
        """The feature, if the file holds one."""
        return self.gherkin.feature

    @property
    def sections(self) -> Iterator[tuple[Rule | None, Sequence[Scenario]]]:
        """Its scenarios by rule, those without one first."""
        children = self.feature.children if self.feature else []
        loose = [child.scenario for child in children if child.scenario]
        if loose:
            yield None, loose
        for child in children:
            if child.rule:
                yield child.rule, [each.scenario for each in child.rule.children if each.scenario]

    def cases_of(self, scenario: Scenario) -> Sequence[Case]:
        """A scenario's cases: one, or one for each row of its examples."""
        return [case for case in self.cases if case.scenario.id == scenario.id]

    def case_of(self, row: TableRow) -> Case | None:
        """The case that a row of examples makes."""
        return next((case for case in self.cases if case.row and case.row.id == row.id), None)


@dataclass(frozen=True)
class Book:
    """A run's documents, sorted by their paths."""

    documents: tuple[Document, ...]

    @staticmethod
    def of(run: RunRecord) -> Book:
        """Join the features with the records of their scenarios."""
        ids = IdGenerator()
        ordered = sorted(run.features, key=lambda feature: feature.uri)
        return Book(tuple(_document(feature, run.scenarios, ids) for feature in ordered))

    @cached_property
    def cases(self) -> Sequence[Case]:
        """All cases."""
        return [case for document in self.documents for case in document.cases]

    @cached_property
    def counts(self) -> Counter[Status]:
        """How many cases there are of each status."""
        return Counter(case.status for case in self.cases)


def background(of: Feature | Rule) -> Background | None:
    """The Background of a feature or rule, if it has one."""
    return next((child.background for child in of.children if child.background), None)


def slug(text: str) -> str:
    """A text as part of a link: lower-case letters and digits, with hyphens between."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")


def _path_slug(uri: str) -> str:
    return "/".join(slug(part) for part in uri.removesuffix(".feature").split("/"))


def _document(record: FeatureRecord, scenarios: Iterable[ScenarioRecord], ids: IdGenerator) -> Document:
    try:
        parsed: Any = {**Parser(AstBuilder(ids)).parse(record.text), "uri": record.uri}
    except ParserError as error:
        return Document(record.uri, record.text, GherkinDocument([], uri=record.uri), (), str(error))
    gherkin = message_converter.from_dict(parsed, GherkinDocument)
    pickles = [message_converter.from_dict(each, Pickle) for each in Compiler(ids).compile(parsed)]
    own = [scenario for scenario in scenarios if scenario.uri == record.uri]
    return Document(record.uri, record.text, gherkin, tuple(_cases(record.uri, gherkin, pickles, own)))


def _cases(
    uri: str, gherkin: GherkinDocument, pickles: Sequence[Pickle], records: Sequence[ScenarioRecord]
) -> Iterator[Case]:
    taken: Counter[str] = Counter()
    rows_seen: Counter[str] = Counter()
    for pickle in pickles:
        rule, scenario = _place(gherkin, pickle.ast_node_ids[0])
        examples, row = _row(scenario, pickle.ast_node_ids[-1])
        number = rows_seen[scenario.id] if row else None
        rows_seen[scenario.id] += 1
        wanted = "/".join(filter(None, [_path_slug(uri), slug(scenario.name), slug("-".join(_values(row)))]))
        taken[wanted] += 1
        attempts = [each for each in records if (each.line, each.row) == (scenario.location.line, number)]
        yield Case(
            id=wanted if taken[wanted] == 1 else f"{wanted}-{taken[wanted]}",
            uri=uri,
            feature=_feature(gherkin),
            rule=rule,
            scenario=scenario,
            examples=examples,
            row=row,
            pickle=pickle,
            attempts=tuple(sorted(attempts, key=lambda each: each.attempt)),
        )


def _feature(gherkin: GherkinDocument) -> Feature:
    if gherkin.feature is None:
        raise LookupError(f"{gherkin.uri} holds no feature")
    return gherkin.feature


def _place(gherkin: GherkinDocument, node: str) -> tuple[Rule | None, Scenario]:
    """The scenario of that id, and the rule that it stands under."""
    for child in _feature(gherkin).children:
        if child.scenario and child.scenario.id == node:
            return None, child.scenario
        for each in child.rule.children if child.rule else []:
            if each.scenario and each.scenario.id == node:
                return child.rule, each.scenario
    raise LookupError(f"{gherkin.uri} has no scenario {node}")


def _row(scenario: Scenario, node: str) -> tuple[Examples | None, TableRow | None]:
    for examples in scenario.examples:
        for row in examples.table_body:
            if row.id == node:
                return examples, row
    return None, None


def _values(row: TableRow | None) -> Sequence[str]:
    return [cell.value for cell in row.cells] if row else []
