"""What the lint says of features and steps in which a fault was planted: where, what, and how to mend it."""

from __future__ import annotations

import pytest

from gitops_e2e.lint.finding import Finding
from tests.lint.conftest import Copy, told

STAGES = "features/stages.feature"
EXTRA = "steps/extra.py"
HEAD = "from pytest_bdd import given, parsers, then, when\n\n\n"


@pytest.fixture
def steps(copy: Copy) -> Copy:
    """A copy with a module of steps of its own, and a feature that uses them."""
    copy.plant("conftest.py", '"steps.endpoint",', '"steps.endpoint",\n    "steps.extra",')
    copy.write(EXTRA, HEAD + '@given("an extra")\ndef _() -> None: ...\n')
    copy.write("features/extra.feature", "Feature: Extra\n\n  Example: an extra\n    Given an extra\n")
    assert copy.features() == []
    return copy


def test_there_is_nothing_to_say_of_the_checkout(copy: Copy) -> None:
    assert copy.features() == [], told(copy.features())


def test_a_name_that_two_scenarios_of_a_feature_have(steps: Copy) -> None:
    steps.write(
        "features/extra.feature",
        "Feature: Extra\n\n  Example: an extra\n    Given an extra\n\n  Example: An extra!\n    Given an extra\n",
    )
    assert steps.features() == [
        Finding(
            "features/extra.feature",
            6,
            "features/extra.feature:3 has a scenario of the name 'An extra!', too",
            "give each a name of its own",
        )
    ]


def test_a_name_that_scenarios_of_two_features_have(steps: Copy) -> None:
    steps.write(
        "features/more.feature", "Feature: More\n\n  Rule: One\n\n    Example: an extra\n      Given an extra\n"
    )
    (finding,) = steps.features()
    assert str(finding).startswith("features/more.feature:5: features/extra.feature:3 has a scenario of the name")


def test_a_sentence_that_no_step_is_defined_for(steps: Copy) -> None:
    steps.plant("features/extra.feature", "Given an extra", "Given an extra\n    When it is used")
    assert steps.features() == [
        Finding(
            "features/extra.feature",
            5,
            "no step is defined for: When it is used",
            "define it in steps/, or use the words of a step that is there",
        )
    ]


def test_a_sentence_that_is_defined_for_another_word(steps: Copy) -> None:
    steps.plant("features/extra.feature", "Given an extra", "Given an extra\n    Then an extra")
    (finding,) = steps.features()
    assert (finding.line, finding.what) == (5, "no step is defined for: Then an extra")
    assert finding.mend == "steps/extra.py:4 defines it as Given: use that word, or define it anew"


def test_a_sentence_of_one_row_that_no_step_is_defined_for(steps: Copy) -> None:
    steps.write(
        "features/extra.feature",
        "Feature: Extra\n\n  Scenario Outline: extras\n    Given <what>\n\n    Examples:\n"
        "      | what     |\n      | an extra |\n      | another  |\n",
    )
    (finding,) = steps.features()
    assert (finding.line, finding.what) == (4, "no step is defined for: Given another")


def test_a_sentence_that_two_steps_match(steps: Copy) -> None:
    steps.write(
        EXTRA,
        HEAD + '@given("an extra")\ndef _() -> None: ...\n\n\n'
        '@given(parsers.parse("an ex{what}"))\ndef _(what: str) -> None: ...\n',
    )
    assert steps.features() == [
        Finding(
            "features/extra.feature",
            4,
            "more than one step is defined for: Given an extra",
            "tell apart those of steps/extra.py:4 and steps/extra.py:8",
        )
    ]


def test_a_step_that_no_feature_uses(steps: Copy) -> None:
    text = (steps.root / EXTRA).read_text()
    steps.write(EXTRA, text + '\n\n@then(parsers.parse("all of {count:d} extras"))\ndef _(count: int) -> None: ...\n')
    assert steps.features() == [
        Finding(EXTRA, 8, "no feature uses the step 'all of {count:d} extras'", "remove it, or use it")
    ]


def test_a_step_that_would_pass_without_being_run(steps: Copy) -> None:
    steps.write(EXTRA, HEAD + '@given("an extra")\nasync def _() -> None: ...\n')
    assert steps.features() == [
        Finding(EXTRA, 4, "this step is async: pytest-bdd never awaits it, so it always passes", "make it a plain def")
    ]


def test_a_module_of_steps_that_no_scenario_finds(copy: Copy) -> None:
    copy.write(EXTRA, HEAD + '@given("an extra")\ndef _() -> None: ...\n')
    assert copy.features() == [
        Finding(
            EXTRA,
            1,
            "pytest_plugins of conftest.py does not name steps.extra, so no scenario finds its steps",
            'add "steps.extra" to pytest_plugins',
        )
    ]


def test_a_module_of_steps_that_is_not_there(copy: Copy) -> None:
    copy.plant("conftest.py", '"steps.endpoint",', '"steps.endpoint",\n    "steps.extra",')
    (finding,) = copy.features()
    assert str(finding).startswith(f"conftest.py:{copy.line('conftest.py', 'steps.extra')}: pytest_plugins names")


def test_a_module_of_steps_that_cannot_be_imported(steps: Copy) -> None:
    text = (steps.root / EXTRA).read_text()
    steps.write(EXTRA, text + "\n\nnot_there\n")
    assert Finding(EXTRA, 8, "this module cannot be imported: name 'not_there' is not defined", "mend this line") in (
        steps.features()
    )


def test_a_scenario_without_steps(steps: Copy) -> None:
    steps.write("features/empty.feature", "Feature: Empty\n\n  Example: nothing happens\n")
    assert steps.features() == [
        Finding("features/empty.feature", 3, "this scenario has no steps", "write them, or remove it")
    ]


def test_an_outline_without_a_row(steps: Copy) -> None:
    steps.write(
        "features/empty.feature",
        "Feature: Empty\n\n  Scenario Outline: nothing happens\n    Given <what>\n\n    Examples:\n      | what |\n",
    )
    (finding,) = steps.features()
    assert (finding.line, finding.what) == (3, "no row of examples: this outline is never run")


def test_a_placeholder_without_a_column(steps: Copy) -> None:
    steps.write(
        "features/extra.feature",
        "Feature: Extra\n\n  Scenario Outline: extras\n    Given an <whatever>\n\n    Examples:\n"
        "      | what  |\n      | extra |\n",
    )
    assert Finding("features/extra.feature", 4, "the examples have no column whatever", "use one of: what") in (
        steps.features()
    )


def test_a_scenario_that_begins_with_and(steps: Copy) -> None:
    steps.plant("features/extra.feature", "Given an extra", "And an extra\n    Given an extra")
    (finding,) = steps.features()
    assert (finding.line, finding.what) == (4, "the first step begins with And")


def test_a_file_that_is_no_gherkin(steps: Copy) -> None:
    steps.plant("features/extra.feature", "Given an extra", "Given an extra\n    Gven it")
    (finding, *_) = (each for each in steps.features() if each.file.endswith(".feature"))
    assert finding.line == 5
    assert finding.what.startswith("this is no Gherkin: expected: ")
    assert finding.what.endswith("got 'Gven it'")
