"""Removing in the background, beside scenarios that do not run alone."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fixtures.concurrency import LOCK
from fixtures.removals import Removals
from gitops_e2e.deeds import Ran, listening, tell
from gitops_e2e.errors import HarnessError
from gitops_e2e.harness import Harness
from gitops_e2e.locks import LockTimedOut, held

_BOUND = 10.0


@pytest.fixture
def removals(tmp_path: Path) -> Removals:
    return Removals(cast(Harness, SimpleNamespace(cluster=SimpleNamespace(scratch=tmp_path))))


def test_it_goes_on_beside_others_and_keeps_those_out_who_run_alone(removals: Removals, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def remove() -> None:
        begun.set()
        assert go_on.wait(_BOUND)

    removals.begin(remove)
    assert begun.wait(_BOUND)
    with held(tmp_path / LOCK, within=0, shared=True):
        pass
    with pytest.raises(LockTimedOut), held(tmp_path / LOCK, within=0):
        pass

    go_on.set()
    removals.finish()
    with held(tmp_path / LOCK, within=0):
        pass


def test_what_goes_wrong_is_told_in_the_end_and_keeps_no_other_from_being_removed(removals: Removals) -> None:
    removed: list[str] = []

    def fail() -> None:
        raise HarnessError("still there")

    removals.begin(fail)
    removals.begin(lambda: removed.append("another"))
    with pytest.raises(HarnessError, match="still there"):
        removals.finish()
    assert removed == ["another"]


def test_what_it_does_is_no_deed_of_the_scenario_that_plays(removals: Removals) -> None:
    with listening() as heard:
        removals.begin(lambda: tell(Ran(("git", "gone"), 1, 0)))
        removals.finish()
        tell(Ran(("git", "push"), 1, 0))
    assert [deed.argv for deed in heard if isinstance(deed, Ran)] == [("git", "push")]
