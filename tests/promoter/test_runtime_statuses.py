"""Status patches, conditions and the texts of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import (
    Condition,
    format_duration,
    get_condition,
    merge_patch,
    parse_duration,
    parse_time,
    remove_condition,
    rfc3339,
    set_condition,
)


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {}, {"a": None}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a": [{"b": 2}]}),
        ({}, {"state": {"step-1": None}}, {"state": {"step-1": None}}),
        ({"state": {}}, {"state": {"step-1": None}}, {}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": False}, {"a": 0}, {}),
    ],
)
def test_merge_patch_holds_the_difference_only(before: Manifest, after: Manifest, patch: Manifest) -> None:
    assert merge_patch(before, after) == patch


def test_a_condition_keeps_its_transition_time_until_it_is_removed() -> None:
    old = "2020-01-01T00:00:00Z"
    status: Manifest = {
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "Verified", "message": "", "lastTransitionTime": old}
        ]
    }
    set_condition(status, Condition("Ready", "False", "ActivePromotion", "busy"), generation=3)
    assert status["conditions"] == [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ActivePromotion",
            "message": "busy",
            "lastTransitionTime": old,
            "observedGeneration": 3,
        }
    ]
    remove_condition(status, "Ready")
    assert status == {}
    set_condition(status, Condition("Ready", "True", "Verified"), generation=3)
    assert status["conditions"][0]["lastTransitionTime"] > old
    assert get_condition(status, "Ready") == Condition("Ready", "True", "Verified")
    assert get_condition(status, "Healthy") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0005, "500µs"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (15, "15s"),
        (300, "5m0s"),
        (3600, "1h0m0s"),
        (93784.25, "26h3m4.25s"),
        (-90, "-1m30s"),
    ],
)
def test_durations_read_and_write_as_go_does(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "1d", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def test_times_are_read_with_and_without_a_fraction() -> None:
    moment = datetime(2026, 11, 23, 11, 56, 20, tzinfo=UTC)
    assert rfc3339(parse_time("2026-11-23T11:56:20Z")) == rfc3339(moment) == "2026-11-23T11:56:20Z"
    assert parse_time("2026-11-23T11:56:20.123456789Z") > moment
