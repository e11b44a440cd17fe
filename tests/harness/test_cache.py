"""Entries of the cache: complete or absent, whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache, digest
from tests.harness.running import REPOSITORY

_BUILDING = """
import sys, time
from pathlib import Path
from gitops_e2e.cache import Cache

def build(folder):
    (folder / "half").write_text("")
    print("building", flush=True)
    time.sleep(60)

Cache(Path(sys.argv[1])).entry("things", "one", build)
"""


def _whole(folder: Path) -> None:
    (folder / "whole").write_text("")


def _refused(_folder: Path) -> None:
    raise AssertionError("it is built already")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("things", "one", _whole)

    assert _names(entry) == ["whole"]
    assert Cache(tmp_path).entry("things", "one", _refused) == entry


def test_a_killed_build_leaves_no_entry_and_the_next_one_starts_afresh(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BUILDING, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as build:
        assert build.stdout
        assert build.stdout.readline() == "building\n"
        os.kill(build.pid, signal.SIGKILL)
    assert _names(tmp_path / "things") == [".partial-one"]

    entry = Cache(tmp_path).entry("things", "one", _whole)

    assert _names(entry) == ["whole"]
    assert _names(tmp_path / "things") == ["one"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Cache(tmp_path).entry("things", "one", _refused)

    assert _names(tmp_path / "things") == []


def test_the_second_of_two_waits_for_the_first_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BUILDING.replace("60", "1"), tmp_path],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "building\n"

        entry = Cache(tmp_path).entry("things", "one", _refused)

    assert _names(entry) == ["half"]
    assert f"waiting for process {first.pid}, which is working on things-one" in capfd.readouterr().err


def test_a_digest_tells_contents_names_and_borders_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with_a = digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest(tmp_path) != with_a
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")
