"""Which process: a PID alone may be another process tomorrow."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of this machine, told from any other that gets the same PID later.

    `started` is its start in clock ticks since boot (field 22 of /proc/PID/stat), `boot` the kernel's boot id.
    """

    pid: int
    started: int
    boot: str

    @staticmethod
    def of(pid: int) -> ProcessIdentity:
        """The process that has this PID now. Raises ProcessLookupError where there is none."""
        return ProcessIdentity(pid, _started(pid), _BOOT_ID.read_text().strip())

    @property
    def alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        try:
            return ProcessIdentity.of(self.pid) == self
        except ProcessLookupError:
            return False

    def send(self, number: signal.Signals) -> None:
        """Signal this process and no other; one that is gone is fine."""
        descriptor = self._open()
        if descriptor is None:
            return
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            pass  # it ended in the meantime
        finally:
            os.close(descriptor)

    def wait(self, seconds: float) -> bool:
        """Wait for its end, as long as that; whether it ended."""
        descriptor = self._open()
        if descriptor is None:
            return True
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(descriptor)

    def _open(self) -> int | None:
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        if self.alive:  # asked after opening, so the descriptor is of this very process
            return descriptor
        os.close(descriptor)
        return None


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessLookupError(pid) from error
    fields = stat.rpartition(")")[2].split()  # the name, in brackets, may hold anything
    if fields[0] in "ZX":
        raise ProcessLookupError(pid)
    return int(fields[19])
