"""The work queue: every key once, never on two workers, failures back off, closing ends the wait."""

from __future__ import annotations

import threading

from gitops_e2e.promoter.runtime.queues import WorkQueue
from gitops_e2e.promoter.runtime.stores import Key

A, B = Key("ns", "a"), Key("ns", "b")


def test_a_key_added_twice_is_handed_out_once() -> None:
    queue = WorkQueue()
    queue.add(A)
    queue.add(A)
    queue.add(B)
    assert [queue.take(), queue.take()] == [A, B]
    queue.close()
    assert queue.take() is None


def test_a_key_that_is_woken_while_taken_comes_again_only_after_it_is_done() -> None:
    queue = WorkQueue()
    queue.add(A)
    assert queue.take() == A
    queue.add(A)
    queue.add(B)
    assert queue.take() == B  # and not A, which is being looked at
    queue.done(A)
    assert queue.take() == A


def test_a_later_look_comes_by_itself() -> None:
    queue = WorkQueue()
    queue.add(A)
    assert queue.take() == A
    queue.done(A, 0.01)
    assert queue.take() == A


def test_an_earlier_wake_replaces_the_planned_look() -> None:
    queue = WorkQueue()
    queue.add(A)
    queue.take()
    queue.done(A, 3600)
    queue.add(A)
    assert queue.take() == A
    queue.done(A, None)
    queue.add(B)
    assert queue.take() == B
    assert queue._due == {}


def test_failures_in_a_row_back_off_and_a_success_forgets_them() -> None:
    queue = WorkQueue()
    queue.add(A)
    for _ in range(3):
        assert queue.take() == A
        queue.failed(A)
    assert queue._failures == {A: 3}
    assert queue.take() == A
    queue.done(A)
    assert queue._failures == {}


def test_closing_ends_the_wait_of_every_worker() -> None:
    queue = WorkQueue()
    taken: list[Key | None] = []
    workers = [threading.Thread(target=lambda: taken.append(queue.take())) for _ in range(3)]
    for worker in workers:
        worker.start()
    queue.close()
    for worker in workers:
        worker.join(5)
    assert taken == [None, None, None]
