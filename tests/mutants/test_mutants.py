from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pytest_bdd.feature import get_features
from pytest_bdd.parser import Step

from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline.metric import NoData
from gitops_e2e.watching import ExpectationFailed, Impossible, Pending
from mutants.document import DOCUMENT, document
from mutants.mutant import ROOT, Mutant, MutantError, all_mutants
from mutants.verdict import judge

MUTANTS = {mutant.name: mutant for mutant in all_mutants()}
PATCH = """The limit is too high.

Scenario: prod canary
Says: wanted: ends Failed
Says: observed: ended

--- a/manifests/one.yaml
+++ b/manifests/one.yaml
"""


def read(tmp_path: Path, text: str) -> Mutant:
    patch = tmp_path / "limit.patch"
    patch.write_text(text)
    return Mutant.read(patch)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_patch_fits_and_changes_what_is_under_test(mutant: Mutant, tmp_path: Path) -> None:
    mutant.make(tmp_path / "broken")
    changed = [
        path.relative_to(tmp_path / "broken")
        for path in (tmp_path / "broken").rglob("*")
        if path.is_file() and path.read_bytes() != (ROOT / path.relative_to(tmp_path / "broken")).read_bytes()
    ]
    assert {path.parts[0] for path in changed} == mutant.changed


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_mutant_names_a_scenario_and_one_of_its_examples(mutant: Mutant) -> None:
    scenarios = {
        name: scenario
        for feature in get_features([str(ROOT / "features")])
        for name, scenario in feature.scenarios.items()
    }
    assert mutant.scenario in scenarios
    rows = [row for examples in scenarios[mutant.scenario].examples for row in examples.as_contexts()]
    assert not rows or [row for row in rows if mutant.example in row.values()]


def test_no_two_mutants_are_the_same() -> None:
    bodies = Counter(mutant.patch.read_text().partition("\n--- ")[2] for mutant in MUTANTS.values())
    assert len(bodies) >= 40
    assert max(bodies.values()) == 1


def test_a_patch_says_what_is_wrong_and_what_is_to_be_said(tmp_path: Path) -> None:
    mutant = read(tmp_path, PATCH)
    assert (mutant.name, mutant.sentence, mutant.scenario) == ("limit", "The limit is too high.", "prod canary")
    assert mutant.says == ("wanted: ends Failed", "observed: ended")
    assert mutant.changed == {"manifests"}


@pytest.mark.parametrize(
    "line", ["The limit is too high.\n\n", "Scenario: prod canary\n", "Says: wanted: ends Failed\n"]
)
def test_what_a_patch_does_not_say_is_asked_for(tmp_path: Path, line: str) -> None:
    text = PATCH.replace(line, "").replace("Says: observed: ended\n", "")
    with pytest.raises(MutantError, match="a mutant begins with a sentence"):
        read(tmp_path, text)


def test_a_patch_that_does_not_fit_any_more_is_told(tmp_path: Path) -> None:
    mutant = read(tmp_path, PATCH + "@@ -1 +1 @@\n-not there\n+nor here\n")
    with pytest.raises(MutantError, match="the patch does not fit"):
        mutant.make(tmp_path / "broken")


# --- what counts as caught

THEN = Step(name="it fails", type="then", indent=0, line_number=1, keyword="Then")
GIVEN = Step(name="it is there", type="given", indent=0, line_number=1, keyword="Given")
SAID = "Then it fails\nwanted: ends\n  Failed\n  observed: ended Successful"


def failed(verdict: Pending | Impossible) -> ExpectationFailed:
    return ExpectationFailed(SAID, verdict, subject="it")


@pytest.mark.parametrize(
    ("step", "error", "message", "why_not"),
    [
        (THEN, failed(Impossible("ended Successful")), SAID, ""),
        (THEN, AssertionError("no"), SAID, ""),
        (GIVEN, AssertionError("no"), SAID, ""),
        (THEN, None, "", "the scenario passed"),
        (None, AssertionError("no"), SAID, "something around the steps failed"),
        (GIVEN, failed(Impossible("crashed")), SAID, "it failed before anything was judged"),
        (THEN, failed(Pending("Running")), SAID, "a wait ran out"),
        (THEN, NoData("0 samples after 60 s"), SAID, "a wait ran out"),
        (THEN, HarnessError("the API server is away"), SAID, "something broke, and nothing was judged"),
        (THEN, AssertionError("no"), "wanted: ends Failed", "it does not say observed: ended"),
    ],
)
def test_only_a_judgement_with_the_right_words_counts(
    tmp_path: Path, step: Step | None, error: BaseException | None, message: str, why_not: str
) -> None:
    verdict = judge(read(tmp_path, PATCH), step, error, message, 1.0)
    assert verdict.why_not.startswith(why_not)
    assert bool(verdict.why_not) == bool(why_not)


def test_the_page_of_mutants_is_true_to_the_patches() -> None:
    assert DOCUMENT.read_text() == document(list(MUTANTS.values())), "`make mutants-docs` writes it anew"
