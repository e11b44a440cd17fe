"""The table of faults in the documentation, against the features."""

from __future__ import annotations

import re
from typing import Any

from gherkin import Parser

from tests.harness.running import REPOSITORY

_EVERY = "all of them, under `-n`"


def scenarios(file: str) -> set[str]:
    document: Any = Parser().parse((REPOSITORY / "features" / file).read_text())
    children = document["feature"]["children"]
    nested = [inner for child in children for inner in child.get("rule", {}).get("children", [child])]
    return {child["scenario"]["name"] for child in nested if "scenario" in child}


def told() -> set[str]:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| [^|]+ \|$", (REPOSITORY / "docs/faults.md").read_text(), re.MULTILINE)
    return {row.strip() for row in rows} - {"scenario", _EVERY}


def test_every_fault_of_the_feature_is_in_the_table() -> None:
    assert scenarios("faults.feature") <= told()


def test_every_scenario_of_the_table_is_there() -> None:
    every = {name for file in (REPOSITORY / "features").glob("*.feature") for name in scenarios(file.name)}
    assert {name.lower() for name in told()} <= {name.lower() for name in every}
