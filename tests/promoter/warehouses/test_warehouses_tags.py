"""Which tags a subscription is for, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.promoter.warehouses.semver import NotAConstraint
from gitops_e2e.promoter.warehouses.tags import BadPattern, TagFilter, greatest_first, newest_versions


@pytest.mark.parametrize(
    ("subscription", "kept"),
    [
        ({}, ["1.0.0", "1.1.0", "latest", "nightly-1"]),
        ({"allowTags": "^1\\."}, ["1.0.0", "1.1.0"]),
        ({"allowTags": "1"}, ["1.0.0", "1.1.0", "nightly-1"]),
        ({"ignoreTags": ["latest", "1"]}, ["1.0.0", "1.1.0", "nightly-1"]),
        ({"allowTags": "^1\\.", "ignoreTags": ["1.1.0"]}, ["1.0.0"]),
        ({"allowTags": "(?i)^NIGHTLY-\\d+$"}, ["nightly-1"]),
    ],
)
def test_allowed_anywhere_and_ignored_exactly(subscription: dict[str, Any], kept: list[str]) -> None:
    assert list(TagFilter.of(subscription).keep(["1.0.0", "1.1.0", "latest", "nightly-1"])) == kept


def test_patterns_are_those_of_re2() -> None:
    with pytest.raises(BadPattern, match="invalid perl operator"):
        TagFilter.of({"allowTags": "(?!latest)"})


@pytest.mark.parametrize(
    ("constraint", "strict", "newest"),
    [
        ("", True, ["v2.0.0", "2.0.0-rc.1", "1.10.0", "v1.9.0", "1.9.0", "1.9.0-rc.1"]),
        ("", False, ["v2.0.0", "2.0.0", "2", "2.0.0-rc.1", "1.10.0", "1.10", "v1.9.0", "1.9.0", "1.9.0-rc.1"]),
        ("^1.0.0", True, ["1.10.0", "v1.9.0", "1.9.0"]),
        ("^1.0.0", False, ["1.10.0", "1.10", "v1.9.0", "1.9.0"]),
        ("^1.0.0-0", True, ["1.10.0", "v1.9.0", "1.9.0", "1.9.0-rc.1"]),
        ("~3", True, []),
    ],
)
def test_the_newest_version_is_first(constraint: str, strict: bool, newest: list[str]) -> None:
    tags = ["1.10.0", "1.9.0", "v1.9.0", "latest", "2.0.0-rc.1", "v2.0.0", "1.9.0-rc.1", "vv3.0.0", "3.0.0_1", ""]
    tags += [] if strict else ["2", "2.0.0", "1.10"]
    for start in range(len(tags)):
        turned = tags[start:] + tags[:start]
        assert newest_versions(turned, constraint=constraint, strict=strict) == newest


def test_a_strict_version_has_three_numbers() -> None:
    assert newest_versions(["1", "1.2", "v1.2", "20230101"], constraint="", strict=True) == []
    with pytest.raises(NotAConstraint):
        newest_versions(["1.0.0"], constraint="latest", strict=True)


def test_the_greatest_by_its_bytes_is_first() -> None:
    tags = ["10", "9", "a", "B", "nightly-20240101", "nightly-20231231", "_"]
    assert greatest_first(tags) == ["nightly-20240101", "nightly-20231231", "a", "_", "B", "9", "10"]
