from __future__ import annotations

import threading

import pytest

from gitops_e2e.side_by_side import side_by_side

BOUND = 20.0


def test_all_tasks_are_done() -> None:
    done: list[int] = []
    side_by_side([lambda n=n: done.append(n) for n in range(5)], at_most=2)  # type: ignore[misc]
    assert sorted(done) == [0, 1, 2, 3, 4]


def test_as_many_as_allowed_are_done_at_the_same_time() -> None:
    meeting = threading.Barrier(2)
    side_by_side([lambda: meeting.wait(BOUND)] * 2, at_most=2)


def test_no_more_than_allowed_are_done_at_the_same_time() -> None:
    alone = threading.Lock()

    def task() -> None:
        assert alone.acquire(blocking=False)
        alone.release()

    side_by_side([task] * 20, at_most=1)


def test_an_error_is_raised_and_what_has_not_begun_does_not_begin() -> None:
    begun: list[str] = []

    def fail() -> None:
        begun.append("fail")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side([fail, lambda: begun.append("late")], at_most=1)
    assert begun == ["fail"]


def test_an_error_does_not_wait_for_what_still_runs() -> None:
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side([lambda: ended.wait(BOUND), fail], at_most=2)
    ended.set()
