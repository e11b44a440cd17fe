"""Running the process table: in its order, each process in a session of its own, with its log in a file.

A process that ends is not started again by itself: that would hide what the harness is there to find.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gitops_e2e.clusters.node.processes import Probe, Process, Table

Phase = Literal["waiting", "starting", "ready", "ended"]

_PROBE_INTERVAL = 0.025
_HARMLESS = {signal.SIGSTOP, signal.SIGCONT}


@dataclass
class ProcessStatus:
    """How one process is. `ending` tells how it ended; `disturbed` is set once its end was asked for."""

    name: str
    phase: Phase = "waiting"
    pid: int | None = None
    ending: str = ""
    disturbed: bool = False


@dataclass(frozen=True)
class Status:
    """How the node is: `ready` if every process is, and what the table asks beyond them was true since the start."""

    ready: bool
    processes: tuple[ProcessStatus, ...]

    @property
    def died(self) -> tuple[ProcessStatus, ...]:
        """The processes that ended though nobody asked for it."""
        return tuple(one for one in self.processes if one.phase == "ended" and not one.disturbed)

    def to_json(self) -> dict[str, Any]:
        """The status as JSON's types."""
        return asdict(self)

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Status:
        """The status that `to_json` made."""
        return Status(bool(raw["ready"]), tuple(ProcessStatus(**one) for one in raw["processes"]))


@dataclass
class Runner:
    """The processes of one node. Used by PID 1: `reap` takes orphans in, too."""

    table: Table
    holds: Callable[[Probe], bool]
    log: Callable[[str], Path]
    environment: Mapping[str, str]
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ready: bool = False

    def __post_init__(self) -> None:
        self._status = {process.name: ProcessStatus(process.name) for process in self.table.processes}

    def start(self) -> None:
        """Begin bringing up every process, each as soon as it may."""
        for process in self.table.processes:
            threading.Thread(target=self._bring_up, args=(process,), daemon=True).start()
        threading.Thread(target=self._complete, daemon=True).start()

    def status(self) -> Status:
        """How everything is now."""
        with self._changed:
            return self._snapshot()

    def wait(self, seconds: float) -> Status:
        """The status once everything is ready or something died, at the latest after that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._settled() or self._snapshot().died, seconds)
            return self._snapshot()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Signal a process on request; if it ends, that is no failure. Raises KeyError for an unknown name."""
        with self._changed:
            status = self._status[name]
            if status.pid is not None and status.phase != "ended":
                status.disturbed |= number not in _HARMLESS
                os.kill(status.pid, number)

    def restart(self, name: str) -> None:
        """End a process, if it has not ended yet, and start it again. Raises KeyError for an unknown name."""
        process = {one.name: one for one in self.table.processes}[name]
        self.signal(name, signal.SIGKILL)
        with self._changed:
            if self._status[name].phase == "waiting":
                return  # it is about to be started anyway
            self._changed.wait_for(lambda: self._status[name].phase == "ended")
            self._status[name] = ProcessStatus(name)
        threading.Thread(target=self._bring_up, args=(process,), daemon=True).start()

    def reap(self) -> None:
        """Record the end of every process that has ended."""
        while True:
            try:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._record_end(pid, wait_status)

    # --- each process, in a thread of its own

    def _bring_up(self, process: Process) -> None:
        with self._changed:
            self._changed.wait_for(lambda: all(self._status[name].phase == "ready" for name in process.after))
        for probe in process.needs:
            self._until(probe, lambda: False)
        with self._changed:  # held, so that its end cannot be recorded before its beginning
            status = self._status[process.name]
            try:
                status.pid = self._spawn(process)
            except OSError as error:
                status.ending = f"it cannot be started: {error}"
                self._enter(status, "ended")
                return
            self._enter(status, "starting")
        if self._until(process.ready, lambda: status.phase == "ended"):
            with self._changed:
                if status.phase == "starting":
                    self._enter(status, "ready")

    def _complete(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: all(one.phase == "ready" for one in self._status.values()))
        for probe in self.table.ready:
            self._until(probe, lambda: False)
            _note(f"{probe.target} {probe.contains} holds")
        with self._changed:
            self._ready = True
            _note("node ready")
            self._changed.notify_all()

    def _until(self, probe: Probe, given_up: Callable[[], bool]) -> bool:
        while not self.holds(probe):
            if given_up():
                return False
            threading.Event().wait(_PROBE_INTERVAL)
        return True

    def _spawn(self, process: Process) -> int:
        log = self.log(process.name)
        return os.posix_spawn(
            process.argv[0],
            process.argv,
            dict(self.environment),
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ),
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGHUP),
        )

    # --- under the lock

    def _record_end(self, pid: int, wait_status: int) -> None:
        with self._changed:
            for status in self._status.values():
                if status.pid == pid:
                    status.ending = _ending(wait_status)
                    self._enter(status, "ended")

    def _enter(self, status: ProcessStatus, phase: Phase) -> None:
        status.phase = phase
        _note(f"{status.name} {phase} {status.ending}".rstrip())
        self._changed.notify_all()

    def _settled(self) -> bool:
        return self._ready and all(one.phase == "ready" for one in self._status.values())

    def _snapshot(self) -> Status:
        return Status(self._settled(), tuple(ProcessStatus(**asdict(one)) for one in self._status.values()))


def _note(what: str) -> None:
    """A line in init's log: which process was how, when."""
    sys.stderr.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {what}\n")
    sys.stderr.flush()


def _ending(wait_status: int) -> str:
    code = os.waitstatus_to_exitcode(wait_status)
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
