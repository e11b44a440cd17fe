"""The comparison with recordings itself: that it sees every field, and says what it looked at."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.promoter.conformance import ACCEPTED, RECORDINGS, Conformance, Different, cite, compare, distinct
from tests.promoter.conformance_table import Case, Table


def recordings() -> Iterator[Any]:
    """Of every kind of recording one, the first that is not small."""
    for file in ("expressions", "steps", "warehouses-by-strategy", "stage-graph/stages", "objects/at-the-end/events"):
        values = json.loads((RECORDINGS / f"{file}.json").read_text())
        yield pytest.param(values[-1], id=file)
    for file in ("promotions", "stages", "freights", "warehouses", "analysisruns", "events"):
        lines = (RECORDINGS / f"sequences/{file}.jsonl").read_text().splitlines()
        yield pytest.param(json.loads(lines[-1]), id=f"sequences/{file}")
    yield pytest.param({"answer": (RECORDINGS / "rejections.md").read_text()}, id="rejections")


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every field in a value."""
    if isinstance(value, (dict, list)) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], *above, key)
    else:
        yield above


@pytest.mark.parametrize("recorded", list(recordings()))
def test_every_changed_field_is_seen(recorded: Any) -> None:
    assert compare(recorded, recorded).differences == ()
    for *above, last in places(recorded):
        changed = copy.deepcopy(recorded)
        place = changed
        for key in above:
            place = place[key]
        place[last] = "something else" if place[last] != "something else" else ""
        assert compare(changed, recorded).differences, (*above, last)


@pytest.mark.parametrize("recorded", list(recordings()))
def test_all_fields_are_counted(recorded: Any) -> None:
    comparison = compare(recorded, recorded)
    assert comparison.compared + comparison.ignored == len(list(places(recorded)))
    assert comparison.compared


def test_only_what_looks_like_it_is_passed_over() -> None:
    assert not compare({"finishedAt": "2026-01-01T00:00:00Z"}, {"finishedAt": "2025-12-31T23:59:59Z"}).differences
    assert compare({"finishedAt": "soon"}, {"finishedAt": "2025-12-31T23:59:59Z"}).differences
    assert compare({}, {"finishedAt": "2025-12-31T23:59:59Z"}).differences


def test_ids_may_differ_but_not_what_refers_to_them() -> None:
    def said(name: str, mentioned: str) -> dict[str, str]:
        return {"name": f"dev.{name}.f49ff1e", "text": f'Promotion "dev.{mentioned}.f49ff1e" is currently Running'}

    one, two = "01m84479wjt1s2yrg6pvcszqdj", "01m8447vekt06vnjypd8ec4qqc"
    assert not compare(said(one, one), said(two, two)).differences
    (difference,) = compare(said(one, two), said(two, two)).differences
    assert difference.path == ".text"


def test_spelling_says_what_is_called_how() -> None:
    assert not compare(
        {"a": "127.0.0.1:5/x"}, {"a": "10.231.0.2:5000/x"}, {"127.0.0.1:5": "10.231.0.2:5000"}
    ).differences


def test_repeated_states_are_left_out() -> None:
    assert distinct(["a", "b", "a", "b", "c", "c", "a"]) == ["a", "b", "c", "a"]


def test_numbers_and_text_are_different() -> None:
    with pytest.raises(Different, match=re.escape('.a: seen 1, recorded "1"')):
        Conformance().same({"a": 1}, {"a": "1"})
    assert compare({"a": 1}, {"a": True}).differences


@pytest.mark.parametrize("accepted", ACCEPTED, ids=[str(accepted.citation) for accepted in ACCEPTED])
def test_only_what_the_behaviour_file_allows_is_accepted(accepted: Any) -> None:
    assert accepted.citation.section in {"12", "13"}
    if accepted.citation.section == "12":
        skip = accepted.citation.text.split("|")[2].strip()
        assert re.match(r"(yes|may be|optional|emulate)", skip), skip


def test_a_line_is_cited_by_words_that_only_it_has() -> None:
    assert cite("4.4", "Unknown `uses`").text.startswith("3. Unknown `uses`")
    with pytest.raises(LookupError, match="is in 0 lines of section"):
        cite("4.4", "no such words")
    with pytest.raises(LookupError, match=r"is in \d\d lines"):
        cite("7", "|")


def a_case(title: str = "one", *, line: int = 7, **about: Any) -> Case:
    return replace(Case(title, "1", line, passed=True, compared=2, ignored=1, accepted=()), **about)


def test_the_table_has_a_row_for_each_behaviour_in_the_order_of_the_lines() -> None:
    table = Table.of([a_case("two", line=9), a_case(), a_case(accepted=("12, line 761",))])
    assert list(table.lines())[2:6] == [
        "| one | 1, line 7 | 2 | same but for what is accepted (12, line 761) |",
        "| two | 1, line 9 | 1 | same |",
        "",
        "2 behaviours, 3 cases; fields compared: 6, ignored as what must differ: 3; accepted differences: 1.",
    ]
    assert table.is_good


@pytest.mark.parametrize(
    ("about", "verdict"), [({"passed": False}, "DIFFERENT"), ({"compared": 0, "ignored": 0}, "NOT COMPARED")]
)
def test_one_bad_case_spoils_its_row(about: dict[str, Any], verdict: str) -> None:
    table = Table.of([a_case(), a_case(**about)])
    assert list(table.lines())[2] == f"| one | 1, line 7 | 2 | {verdict} |"
    assert not table.is_good
