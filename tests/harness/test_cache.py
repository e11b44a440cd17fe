"""Entries of the cache: complete or absent, whoever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache, digest
from tests.harness.running import REPOSITORY

_HOUR = 3600.0
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


def _unused(cache: Cache, key: str) -> Path:
    """An entry that was built and used two hours ago."""
    entry = cache.entry("things", key, _whole)
    os.utime(entry, (time.time() - 2 * _HOUR,) * 2)
    return entry


def test_entries_that_nobody_has_used_for_long_are_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    _unused(cache, "old")
    cache.entry("things", "new", _whole)

    assert cache.remove_unused(seconds=_HOUR) == ["things/old"]

    assert _names(tmp_path / "things") == ["new"]
    assert cache.remove_unused(seconds=_HOUR) == []


@pytest.mark.parametrize("use", [Cache.find, lambda cache, kind, key: cache.entry(kind, key, _refused)])
def test_an_entry_stays_once_it_is_looked_up(tmp_path: Path, use: Callable[[Cache, str, str], Path | None]) -> None:
    entry = _unused(Cache(tmp_path), "old")

    assert use(Cache(tmp_path), "things", "old") == entry

    assert Cache(tmp_path).remove_unused(seconds=_HOUR) == []


def test_an_entry_counts_as_used_when_it_is_built_whatever_the_build_does_to_its_time(tmp_path: Path) -> None:
    Cache(tmp_path).entry("things", "one", lambda folder: os.utime(folder, (0, 0)))

    assert Cache(tmp_path).remove_unused(seconds=_HOUR) == []


@pytest.mark.parametrize("shared", [True, False])
def test_an_entry_that_somebody_is_about_to_use_stays(tmp_path: Path, *, shared: bool) -> None:
    cache = Cache(tmp_path)
    _unused(cache, "old")

    with cache.lock("things-old", shared=shared):
        assert cache.remove_unused(seconds=_HOUR) == []


def test_who_looks_an_entry_up_while_it_is_removed_finds_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    entry = _unused(cache, "old")
    with ThreadPoolExecutor() as other:
        with cache.lock("things-old"):
            found = other.submit(cache.find, "things", "old")
            time.sleep(0.3)
            assert not found.done()
            entry.rename(tmp_path / "things/.partial-old")
        assert found.result() is None


def test_what_a_build_is_at_work_on_stays_and_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BUILDING, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as build:
        assert build.stdout
        assert build.stdout.readline() == "building\n"
        assert Cache(tmp_path).remove_unused(seconds=0) == []
        assert _names(tmp_path / "things") == [".partial-one"]
        os.kill(build.pid, signal.SIGKILL)

    assert Cache(tmp_path).remove_unused(seconds=_HOUR) == ["things/one"]
    assert _names(tmp_path / "things") == []


def test_a_removal_that_breaks_off_leaves_no_half_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    _unused(cache, "old")
    with monkeypatch.context() as broken:
        broken.setattr(shutil, "rmtree", _refused)
        with pytest.raises(AssertionError):
            cache.remove_unused(seconds=_HOUR)

    assert cache.find("things", "old") is None
    assert cache.remove_unused(seconds=_HOUR) == ["things/old"]
    assert _names(tmp_path / "things") == []


def test_what_is_no_entry_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    _unused(cache, "old")
    data = tmp_path / "nodes/one"
    data.mkdir(parents=True)
    os.utime(data, (0, 0))

    assert cache.remove_unused(seconds=_HOUR) == ["things/old"]

    assert data.is_dir()


def test_a_digest_tells_contents_names_and_borders_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with_a = digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest(tmp_path) != with_a
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")
