"""The table of faults in the documentation, against the features."""

from __future__ import annotations

import re
from typing import Any

from gherkin import Parser

from tests.harness.running import REPOSITORY

_ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def faults() -> dict[str, str]:
    """What the scenarios with the tag promise, by their names."""
    documents: list[Any] = [Parser().parse(file.read_text()) for file in (REPOSITORY / "features").glob("*.feature")]
    return {
        scenario["name"]: "; ".join(promises(scenario))
        for document in documents
        for scenario in scenarios(document["feature"])
        if "@fault" in {tag["name"] for tag in [*document["feature"]["tags"], *scenario["tags"]]}
    }


def scenarios(feature: Any) -> list[Any]:
    nested = [inner for child in feature["children"] for inner in child.get("rule", {}).get("children", [child])]
    return [child["scenario"] for child in nested if "scenario" in child]


def promises(scenario: Any) -> list[str]:
    told, kind = [], ""
    for step in scenario["steps"]:
        kind = step["keywordType"] if step["keywordType"] != "Conjunction" else kind
        if kind == "Outcome":
            told.append(step["text"])
    return told


def test_the_table_has_every_fault_with_the_sentences_that_turn_red() -> None:
    rows = dict(_ROW.findall((REPOSITORY / "docs/faults.md").read_text()))
    del rows["scenario"]
    assert rows == faults()
