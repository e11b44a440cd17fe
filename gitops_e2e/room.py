"""Room on a cluster: so many pods of pipelines at once, shared out between the processes of a run."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.locks import held

_POLL = 0.2
_MAKING_BOUND = 10.0


class NoRoom(HarnessError):
    """Others have used the cluster's room for too long."""


@dataclass(frozen=True)
class Room:
    """A folder with a file for every pod that there is room for: who holds one has that pod's place.

    A process that ends, however it does, leaves its places to others.
    """

    folder: Path

    @staticmethod
    def of(folder: Path, pods: Callable[[], int]) -> Room:
        """The room that a cluster has; the first process to ask says for how many pods that is."""
        with held(folder.with_suffix(".lock"), within=_MAKING_BOUND):
            if not folder.exists():
                places = max(1, pods())
                folder.mkdir()
                for number in range(places):
                    (folder / str(number)).touch()
        return Room(folder)

    @property
    def pods(self) -> int:
        """How many there is room for."""
        return len(self._places)

    @contextmanager
    def taken(self, pods: int, *, within: float, waiting: Callable[[str], object]) -> Iterator[None]:
        """Have room for so many pods in the block, or all there is; who asks first is first to have it.

        `waiting` is told once where there is none yet. Raises NoRoom after `within` seconds, or LockTimedOut while
        others wait, too.
        """
        with ExitStack() as places:
            with held(self.folder.with_suffix(".turn"), within=within, waiting=waiting):
                self._take(min(pods, self.pods), places, within, waiting)
            yield

    @property
    def _places(self) -> list[Path]:
        return list(self.folder.iterdir())

    def _take(self, pods: int, places: ExitStack, within: float, waiting: Callable[[str], object]) -> None:
        deadline = time.monotonic() + within
        told = False
        while not self._took(pods, places):
            if not told:
                waiting("others")
                told = True
            if time.monotonic() > deadline:
                raise NoRoom(
                    f"there was no room for {pods} pods within {within:g} s; the cluster has room for {self.pods}",
                    where=str(self.folder),
                    remedy="let fewer scenarios run beside each other (-n)",
                )
            time.sleep(_POLL)

    def _took(self, pods: int, places: ExitStack) -> bool:
        """Whether so many places were free, and are taken now; else none is."""
        with ExitStack() as taken:
            found = 0
            for place in self._places:
                if found == pods:
                    break
                file = place.open()
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    continue
                taken.push(file)
                found += 1
            if found < pods:
                return False
            places.push(taken.pop_all())
            return True
