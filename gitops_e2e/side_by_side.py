"""Work done side by side that never keeps a run from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence


def side_by_side(tasks: Sequence[Callable[[], object]], *, at_most: int) -> None:
    """Do all tasks, so many at a time; the first error stops what has not begun, and is raised at once.

    The threads are daemons: when the caller is interrupted, they end with the process, and their commands with them.
    """
    waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    outcomes: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    failed = threading.Event()

    def work() -> None:
        while not failed.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
                failed.set()
                outcomes.put(error)
            else:
                outcomes.put(None)

    for _ in range(at_most):
        threading.Thread(target=work, daemon=True).start()
    for _ in tasks:
        if error := outcomes.get():
            raise error
