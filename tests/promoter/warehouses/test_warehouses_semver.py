"""Versions and ranges: in agreement with Masterminds/semver 3.4.0, which gave the recorded verdicts, and with order."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.promoter.warehouses.semver import Constraint, NotAConstraint, NotAVersion, Version, is_constraint

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "recordings/semver.json").read_text())
VERSIONS = [Version.parse(text) for text in RECORDED["versions"]]
RELEASES = [version for version in VERSIONS if not version.pre]


@pytest.mark.parametrize("text", RECORDED["constraints"])
def test_the_library_allows_the_same_versions(text: str) -> None:
    verdicts = RECORDED["constraints"][text]
    assert is_constraint(text) == (verdicts is not None)
    if verdicts is None:
        with pytest.raises(NotAConstraint):
            Constraint.parse(text)
    else:
        allowed = Constraint.parse(text)
        assert "".join("01"[allowed.allows(version)] for version in VERSIONS) == verdicts


@pytest.mark.parametrize("text", RECORDED["texts"])
def test_the_library_reads_the_same_versions(text: str) -> None:
    readers = (Version.parse, Version.parse_strict)
    for read, is_version in zip(readers, RECORDED["texts"][text], strict=True):
        if is_version:
            read(text)
        else:
            with pytest.raises(NotAVersion):
                read(text)


@pytest.mark.parametrize("number", range(len(VERSIONS)))
def test_the_library_compares_the_same(number: int) -> None:
    version = VERSIONS[number]
    signs = ["<" if version < other else "=" if version == other else ">" for other in VERSIONS]
    assert "".join(signs) == RECORDED["order"][number]


def test_order_is_total() -> None:
    for left, right in itertools.product(VERSIONS, repeat=2):
        assert [left < right, left == right, left > right].count(True) == 1
        assert (left <= right) == (not right < left)
        assert left != right or hash(left) == hash(right)
    for one, two, three in itertools.product(VERSIONS, repeat=3):
        assert not (one < two < three) or one < three


@pytest.mark.parametrize("bound", ["0.0.1", "0.2.3", "1.0.0", "1.2.3", "2.0.0"])
def test_opposite_operators_part_the_releases(bound: str) -> None:
    def allowed(text: str) -> set[Version]:
        return {version for version in RELEASES if Constraint.parse(text).allows(version)}

    everything = set(RELEASES)
    for one, other in ((">", "<="), ("<", ">="), ("=", "!=")):
        assert allowed(one + bound) | allowed(other + bound) == everything
        assert not allowed(one + bound) & allowed(other + bound)
    assert allowed(f"~{bound}") <= allowed(f">={bound}")
    assert allowed(f"^{bound}") <= allowed(f">={bound}")
    assert Version.parse(bound) in allowed(f"~{bound}") & allowed(f"^{bound}")


RANGES = ["^1.0.0", "~1.2", "<1.1.0", ">=2", "!=1.2.3"]


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(RANGES, 2)))
def test_a_comma_is_and_two_bars_are_or(one: str, two: str) -> None:
    left, right = Constraint.parse(one), Constraint.parse(two)
    for version in RELEASES:
        assert Constraint.parse(f"{one}, {two}").allows(version) == (left.allows(version) and right.allows(version))
        assert Constraint.parse(f"{one} || {two}").allows(version) == (left.allows(version) or right.allows(version))
        assert Constraint.parse(f"{two} || {one}").allows(version) == Constraint.parse(f"{one} || {two}").allows(
            version
        )


def test_prereleases_are_wanted_only_where_one_is_named() -> None:
    candidate = Version.parse("1.3.0-rc.1")
    assert not Constraint.parse("^1.0.0").allows(candidate)
    assert Constraint.parse("^1.0.0-0").allows(candidate)
    assert not Constraint.parse("^1.0.0 || ^3.0.0-0").allows(candidate)
