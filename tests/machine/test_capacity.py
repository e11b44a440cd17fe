from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_e2e.machine.capacity import (
    NotRoot,
    TooLittleDisk,
    TooLittleMemory,
    memory_for,
    require_disk,
    require_memory,
    require_root,
)

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_enough_disk_is_no_error_for_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    require_disk(tmp_path / "to/be/made", 1, purpose="a test")


def test_too_little_disk_says_how_much_is_needed_and_how_much_there_is(tmp_path: Path) -> None:
    with pytest.raises(TooLittleDisk, match=r"a test needs 1073741824\.0 GiB .* there are \d+\.\d GiB") as refusal:
        require_disk(tmp_path / "to/be/made", 2**60, purpose="a test")
    assert refusal.value.where == str(tmp_path)


def test_too_little_memory_says_how_much_is_needed_and_how_much_there_is() -> None:
    require_memory(1, purpose="a test")
    with pytest.raises(TooLittleMemory, match=r"a test needs 1073741824\.0 GiB .* \d+\.\d GiB are available"):
        require_memory(2**60, purpose="a test")


def test_there_is_room_for_as_many_as_fit_beside_something() -> None:
    assert memory_for(2**60, beside=0) == 0
    assert memory_for(1, beside=2**60) == 0
    several = memory_for(2**20, beside=0)
    assert several > 0
    assert 0 < memory_for(2**20, beside=several * 2**19) < 0.75 * several


def test_who_is_not_root_is_told_so() -> None:
    with as_nobody(), pytest.raises(NotRoot, match=r"a test needs root, and this runs as user \d+"):
        require_root(purpose="a test")


@pytest.mark.node
def test_root_is_root() -> None:
    require_root(purpose="a test")
