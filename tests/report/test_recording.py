"""What is recorded of a run: every scenario, every step, however it ended."""

from __future__ import annotations

import pytest

from gitops_e2e.report.record import RunRecord, ScenarioRecord
from tests.report import sample

PASSED, NOT_REACHED = "passed", "not reached"


def _named(run: RunRecord, name: str, row: int | None = None) -> ScenarioRecord:
    (found,) = [each for each in run.scenarios if (each.name, each.row) == (name, row)]
    return found


def _statuses(scenario: ScenarioRecord) -> list[str]:
    return [step.status for step in scenario.steps]


@pytest.fixture(scope="module", params=[(), ("-n2",)], ids=["alone", "xdist"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = tmp_path_factory.mktemp("shop")
    sample.write(folder)
    done = sample.run(folder, "-m", "not never", *request.param)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return sample.recorded(folder)


def test_a_scenario_that_passes_has_all_its_steps(run: RunRecord) -> None:
    visited = _named(run, "it can be visited")

    assert (visited.uri, visited.line, visited.status) == ("features/shop.feature", 12, PASSED)
    told = [(step.keyword, step.text, step.line, step.status) for step in visited.steps]
    assert told == [
        ("Given", "a shop", 10, PASSED),
        ("When", "a customer visits", 13, PASSED),
        ("Then", "the customer is greeted", 14, PASSED),
    ]
    assert visited.seconds > 0
    definition = visited.steps[1].definition
    assert definition
    assert (definition.pattern, definition.uri) == ("a customer visits", "features/test_features.py")
    assert sample.STEPS.splitlines()[definition.line - 1] == '@when("a customer visits")'


def test_rows_of_examples_are_told_apart(run: RunRecord) -> None:
    sold = "<fruit> is sold for <price>"

    apple, pear, lychee = (_named(run, sold, row) for row in range(3))

    assert (apple.status, apple.example) == (PASSED, {"fruit": "apple", "price": "1"})
    assert apple.steps[2].text == "a customer asks for apple"
    assert (pear.status, _statuses(pear)) == ("failed", [PASSED, PASSED, PASSED, "failed"])
    assert pear.steps[3].message == "pear costs 2"
    assert lychee.status == "failed"
    assert "KeyError: 'lychee'" in lychee.steps[3].message


def test_what_is_attached_belongs_to_its_step(run: RunRecord) -> None:
    (receipt,) = _named(run, "<fruit> is sold for <price>", 0).attachments

    assert (receipt.name, receipt.media_type, receipt.step) == ("receipt", "application/json", 3)
    assert receipt.text == '{"paid": 1}'


def test_an_undefined_step_is_told_as_such_and_the_rest_is_not_reached(run: RunRecord) -> None:
    haunted = _named(run, "the shop is haunted")

    assert (haunted.status, _statuses(haunted)) == ("undefined", [PASSED, "undefined", NOT_REACHED])
    assert "nobody wrote this step" in haunted.steps[1].message


def test_the_fixture_of_a_step_fails_with_it(run: RunRecord) -> None:
    broken = _named(run, "the till is broken")

    assert (broken.status, _statuses(broken)) == ("failed", [PASSED, PASSED, "failed", NOT_REACHED])
    assert broken.steps[2].message == "the till is locked\n  where: the counter\n  to do: find the key"


def test_a_scenario_that_a_step_skips_is_not_passed(run: RunRecord) -> None:
    skipped = _named(run, "there is no delivery yet")

    assert (skipped.status, _statuses(skipped)) == ("skipped", [PASSED, "skipped", NOT_REACHED])
    assert skipped.steps[1].message == "there is no delivery"


def test_a_scenario_that_its_tag_skips_reaches_no_step(run: RunRecord) -> None:
    skipped = _named(run, "on holidays")

    assert (skipped.status, _statuses(skipped)) == ("skipped", [NOT_REACHED, NOT_REACHED])


def test_an_expected_failure_is_none_and_an_unexpected_success_is_told(run: RunRecord) -> None:
    expected, unexpected = _named(run, "prices are fair"), _named(run, "service is better than expected")

    assert (expected.status, _statuses(expected)) == ("xfailed", [PASSED, "xfailed"])
    assert expected.steps[1].message == "prices are never fair"
    assert (unexpected.status, _statuses(unexpected)) == ("xpassed", [PASSED, PASSED])


def test_what_fails_around_the_steps_is_an_error(run: RunRecord) -> None:
    before, after = _named(run, "with a permission"), _named(run, "cleaning up fails")

    assert (before.status, _statuses(before)) == ("error", [NOT_REACHED, NOT_REACHED])
    assert before.message == "the permission was refused"
    assert (after.status, _statuses(after)) == ("error", [PASSED, PASSED])
    assert after.message == "the mess stays"


def test_what_was_not_run_has_no_record(run: RunRecord) -> None:
    assert "nobody selects this" not in {scenario.name for scenario in run.scenarios}
    assert len(run.scenarios) == 12
    assert run.end
    assert run.end.exit_code == pytest.ExitCode.TESTS_FAILED
