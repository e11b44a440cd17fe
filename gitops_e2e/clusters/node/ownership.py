"""The owner's hold on a node: the pipe to its supervisor."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gitops_e2e
from gitops_e2e.clusters.node.errors import NodeFailed
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.layout import Layout
from gitops_e2e.clusters.node.state import NodeState, Registry
from gitops_e2e.clusters.node.supervisor import KEEP, START

_ANSWER_LENGTH = 65536


@dataclass(frozen=True)
class Ownership:
    """A supervisor of ours: its PID, our pipe to it, and its answers. The pipe closes with this process."""

    pid: int
    pipe: int
    answers: int
    layout: Layout

    @staticmethod
    def begin(registry: Registry, state: NodeState) -> Ownership:
        """Start the supervisor of a node whose state and files are written, in a session of its own.

        Without `site`, and found by its path alone, Python starts in a few hundredths of a second.
        """
        from_owner, pipe = os.pipe()
        answers, to_owner = os.pipe()
        log = str(state.layout.log("supervisor"))
        module = "gitops_e2e.clusters.node.supervisor"
        pid = os.posix_spawn(
            sys.executable,
            (sys.executable, "-S", "-m", module, str(registry.folder), state.name),
            {**os.environ, "PYTHONPATH": str(Path(gitops_e2e.__path__[0]).parent)},
            file_actions=(
                (os.POSIX_SPAWN_DUP2, from_owner, 0),
                (os.POSIX_SPAWN_DUP2, to_owner, 1),
                (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            ),
            setsid=True,
            setsigmask=(),
        )
        os.close(from_owner)
        os.close(to_owner)
        registry.save(replace(state, supervisor=ProcessIdentity.of(pid)))
        os.write(pipe, START)
        return Ownership(pid, pipe, answers, state.layout)

    def answer(self, seconds: float) -> None:
        """Wait for the supervisor's word that what it was to do is done. Raises NodeFailed with its reason if not."""
        readable, _, _ = select.select([self.answers], [], [], seconds)
        line = os.read(self.answers, _ANSWER_LENGTH) if readable else b""
        news: dict[str, Any] = json.loads(line or b"{}")
        if "failed" in news:
            raise NodeFailed(str(news["failed"]))
        if not news:
            what = "ended" if readable else f"did not answer within {seconds:g} s"
            raise NodeFailed(f"the supervisor of the node {what}{self.layout.last_lines('supervisor')}")

    def hand_over(self, seconds: float) -> None:
        """Let the node live on without us."""
        os.write(self.pipe, KEEP)
        self.answer(seconds)
        self._close()

    def give_up(self, seconds: float) -> None:
        """Close the pipe, and wait for the supervisor to have ended the node; kill it when it takes too long."""
        self._close()
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        readable, _, _ = select.select([descriptor], [], [], seconds)
        os.close(descriptor)
        if not readable:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _close(self) -> None:
        os.close(self.pipe)
        os.close(self.answers)
