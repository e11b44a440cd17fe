"""Records as lines of JSON, free of secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from gitops_e2e.report.record import (
    FeatureRecord,
    Redact,
    RunBegin,
    RunEnd,
    RunRecord,
    ScenarioRecord,
    Surroundings,
)


@dataclass(frozen=True)
class Line:
    """One line of a run's record: exactly one of these is there."""

    begin: RunBegin | None = None
    feature: FeatureRecord | None = None
    surroundings: Surroundings | None = None
    scenario: ScenarioRecord | None = None
    end: RunEnd | None = None


_LINE = TypeAdapter(Line)


def encode(line: Line, redact: Redact) -> str:
    """The line as JSON, each text in it redacted before anything is escaped."""
    return redacted_json(_LINE.dump_python(line, mode="json", exclude_defaults=True), redact)


def redacted_json(value: Any, redact: Redact) -> str:
    """JSON of plain values, each text in them redacted before it is escaped."""
    return json.dumps(redacted(value, redact))


def decode(line: Any) -> Line:
    """The line that parsed JSON stands for. Raises ValueError."""
    return _LINE.validate_python(line)


def decode_text(text: str) -> Line:
    """The line that a text stands for. Raises ValueError."""
    return _LINE.validate_json(text)


def joined(lines: Iterable[Line]) -> RunRecord | None:
    """The run that the lines tell of; of one attempt at a scenario, the last word counts. None without a beginning."""
    run: RunRecord | None = None
    scenarios: dict[tuple[str, int, int | None, int], ScenarioRecord] = {}
    for line in lines:
        if line.begin:
            run = RunRecord(line.begin)
        if run is None:
            continue
        if line.feature:
            run = replace(run, features=(*run.features, line.feature))
        if line.scenario:
            each = line.scenario
            scenarios[each.uri, each.line, each.row, each.attempt] = each
        run = replace(run, surroundings=line.surroundings or run.surroundings, end=line.end or run.end)
    return run and replace(run, scenarios=tuple(scenarios.values()))


def redacted(value: Any, redact: Redact) -> Any:
    """Plain values, with each text in them redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(each, redact) for each in value]
    if isinstance(value, dict):
        return {redact(key): redacted(each, redact) for key, each in value.items()}
    return value
