"""Locks between processes: alone, or shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.locks import LockTimedOut, held


def test_several_share_a_lock(tmp_path: Path) -> None:
    with held(tmp_path / "lock", within=0, shared=True), held(tmp_path / "lock", within=0, shared=True):
        pass


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (False, False)])
def test_who_wants_it_alone_has_it_alone(tmp_path: Path, *, first: bool, second: bool) -> None:
    told: list[str] = []
    with (
        held(tmp_path / "lock", within=0, shared=first),
        pytest.raises(LockTimedOut, match=r"process \d+ has held this lock"),
        held(tmp_path / "lock", within=0, shared=second, waiting=told.append),
    ):
        pass
    assert len(told) == 1


def test_a_lock_is_free_once_the_block_is_left(tmp_path: Path) -> None:
    with held(tmp_path / "lock", within=0):
        pass
    with held(tmp_path / "lock", within=0):
        pass
