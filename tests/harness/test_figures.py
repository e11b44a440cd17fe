"""What `make bench` prints, and what it does when a figure cannot be measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.__main__ import run
from benchmarks.catalogue import BENCHMARKS, UnknownFigure, chosen
from benchmarks.figure import Benchmark, Figure, middle
from benchmarks.rollback import _seconds
from gitops_e2e.errors import HarnessError
from tests.harness.running import REPOSITORY


def _two() -> Iterator[Figure]:
    yield Figure("one_s", 1.23456, "s", goal=2)
    yield Figure("two_s", 2, "s", floor=1.5)


def _none() -> Iterator[Figure]:
    raise HarnessError("it broke")
    yield


_TWO = Benchmark(("one_s", "two_s"), _two)
_NONE = Benchmark(("none_s",), _none)
_LONG = Benchmark(("long_s",), _two, on_request=True)


def test_a_figure_is_a_line_of_json() -> None:
    (one, two) = map(Figure.as_json, _two())

    assert json.loads(one) == {"name": "one_s", "value": 1.235, "unit": "s", "goal": 2, "floor": None}
    assert json.loads(two)["floor"] == 1.5


def test_without_names_all_are_measured_but_those_that_must_be_asked_for() -> None:
    assert chosen("", [_TWO, _LONG]) == {_TWO: {"one_s", "two_s"}}
    assert "cold_build_s" not in {name for names in chosen("").values() for name in names}


def test_names_choose() -> None:
    assert chosen("long_s, two_s", [_TWO, _NONE, _LONG]) == {_TWO: {"two_s"}, _LONG: {"long_s"}}


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownFigure, match=r"no figure 'three_s'[\s\S]*one_s, two_s"):
        chosen("one_s,three_s", [_TWO])


def test_each_name_is_measured_by_one_benchmark() -> None:
    names = [name for benchmark in BENCHMARKS for name in benchmark.names]
    assert len(names) == len(set(names))


def test_a_failure_does_not_hide_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    errors = run({_NONE: frozenset({"none_s"}), _TWO: frozenset({"two_s"})})

    printed = capfd.readouterr()
    assert [str(error) for error in errors] == ["it broke"]
    assert "none_s: it broke" in printed.err
    assert [json.loads(line)["name"] for line in printed.out.splitlines()] == ["two_s"]


def test_the_middle_run_is_one_that_was() -> None:
    runs = [Figure("x", value, "s", floor=value / 2) for value in (3.0, 1.0, 2.0, 9.0)]
    assert middle(runs) == Figure("x", 2.0, "s", floor=1.0)


@pytest.mark.parametrize(("duration", "seconds"), [("5s", 5), ("1m30s", 90), ("2h", 7200), (7, 7), ("8", 8)])
def test_durations_as_manifests_have_them(duration: str | int, seconds: float) -> None:
    assert _seconds(duration) == seconds


@pytest.mark.parametrize("duration", ["", "soon", "5 s"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    with pytest.raises(HarnessError, match="no duration"):
        _seconds(duration)


def test_an_unknown_name_ends_with_one_message() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nope"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("there is no figure 'nope'\n  to do: use some of: node_ready_s")
