"""What the results of earlier runs say about a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.report.book import Status
from gitops_e2e.report.history import SHOWN, Result, Story, recall, remember


def _result(number: int, status: Status, attempts: int = 1) -> Result:
    return Result(f"run-{number:03}", f"2026-11-{number:02}T00:00:00+00:00", "abc", "shop/open", status, 1.0, attempts)


def _story(*statuses: Status) -> Story:
    return Story(tuple(_result(number, status) for number, status in enumerate(statuses, 1)))


@pytest.mark.parametrize(
    ("statuses", "change"),
    [
        (["passed"], "new"),
        (["passed", "passed"], ""),
        (["passed", "failed"], "broken"),
        (["passed", "undefined"], "broken"),
        (["failed", "error"], ""),
        (["failed", "passed"], "fixed"),
        (["failed", "skipped", "passed"], "fixed"),
        (["failed", "skipped"], ""),
        ([], ""),
    ],
)
def test_the_newest_result_is_compared_with_the_last_verdict(statuses: list[Status], change: str) -> None:
    assert _story(*statuses).change == change


@pytest.mark.parametrize(
    ("statuses", "flips"),
    [
        (["passed", "failed", "passed"], 2),
        (["failed", "passed", "failed"], 2),
        (["passed", "passed", "failed"], 1),
        (["passed", "skipped", "passed"], 0),
    ],
)
def test_flips_are_counted_both_ways(statuses: list[Status], flips: int) -> None:
    story = _story(*statuses)

    assert story.flips == flips
    assert story.is_flaky == (flips > 1)


def test_what_passes_only_when_tried_again_is_flaky() -> None:
    assert Story((_result(1, "passed", attempts=2),)).is_flaky
    assert not Story((_result(1, "failed", attempts=2),)).is_flaky


def test_it_is_known_since_when_something_is_broken() -> None:
    since = _story("failed", "passed", "failed", "skipped", "error").broken_since

    assert since
    assert since.run == "run-003"
    assert _story("failed", "passed").broken_since is None


def test_only_the_newest_results_up_to_the_run_are_told(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    remember(file, [_result(number, "passed") for number in range(1, SHOWN + 10)], str)

    story = recall(file, f"run-{SHOWN + 5:03}")["shop/open"]

    assert [result.run for result in story.results] == [f"run-{number:03}" for number in range(6, SHOWN + 6)]


def test_of_a_scenario_that_was_tried_again_the_last_result_counts(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    remember(file, [_result(1, "failed"), _result(1, "passed", attempts=2)], str)

    assert [result.status for result in recall(file, "run-001")["shop/open"].results] == ["passed"]
