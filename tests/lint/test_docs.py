"""What the docs say of scenarios is so: of the one in docs/writing-scenarios.md, the lint has nothing to say."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent

from tests.lint.conftest import ROOT, Copy, told


def _block(language: str) -> str:
    text = (ROOT / "docs" / "writing-scenarios.md").read_text()
    found = re.search(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return dedent(found[2])


def test_the_example_is_a_scenario_with_a_step(copy: Copy) -> None:
    steps = (copy.root / "steps" / "rollout.py").read_text()
    copy.write("features/example.feature", _block("gherkin"))
    (undefined,) = copy.features()
    assert undefined.what == "no step is defined for: Then the Rollout of staging runs 3 pods of 0.9.0"

    copy.write("steps/rollout.py", f"{steps}\n\n{_block('python')}")
    assert copy.features() == [], told(copy.features())


def test_the_givens_of_the_table_are_defined(copy: Copy) -> None:
    text = (ROOT / "docs" / "writing-scenarios.md").read_text()
    table = text.partition("| Given |")[2].partition("\n\n")[0]
    givens = re.findall(r"^\| `(.+?)`", table, re.MULTILINE)
    assert len(givens) == 10
    lines = "".join(f"    Given {given}\n" for given in givens)
    copy.write("features/example.feature", f"Feature: All\n\n  Example: all givens\n{lines}")
    assert copy.features() == [], told(copy.features())


def test_the_readme_says_how_many_scenarios_are_played() -> None:
    said = re.search(r"It plays (\d+) scenarios", (ROOT / "README.md").read_text())
    collected = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "features",
            "--collect-only",
            "-q",
            "-m",
            "not long",
            "-p",
            "no:cacheprovider",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    last = collected.stdout.splitlines()[-1]
    assert said is not None
    assert last.startswith(f"{said[1]}/"), last
