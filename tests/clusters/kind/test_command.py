"""`python -m gitops_e2e.clusters.kind COMMAND…`: the exit code is the command's, and the engine is told of as it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind import __main__ as command
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import EngineFailed


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """As they were: the command takes them for the rest of its process."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@contextmanager
def _does_not_start(_cache: Cache) -> Iterator[Engine]:
    raise EngineFailed("dockerd ended with exit code 1")
    yield


@contextmanager
def _does_not_end(_cache: Cache) -> Iterator[Engine]:
    yield Engine(Path("/nowhere.sock"))
    raise EngineFailed("the bridge is busy")


@pytest.mark.parametrize(("ended", "code"), [(0, 1), (3, 3)])
def test_an_engine_that_does_not_end_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], ended: int, code: int
) -> None:
    monkeypatch.setattr(command, "some_engine", _does_not_end)

    assert command.main(["sh", "-c", f"exit {ended}"]) == code
    said = capfd.readouterr().err
    assert "The Docker engine did not end as it should: the bridge is busy" in said
    assert "no Docker engine" not in said


def test_without_an_engine_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "some_engine", _does_not_start)

    assert command.main(["touch", str(tmp_path / "ran")]) == 1
    assert "There is no Docker engine to run on: dockerd ended with exit code 1" in capfd.readouterr().err
    assert not (tmp_path / "ran").exists()
