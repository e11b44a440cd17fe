"""A command that answers one line for each line it is given."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Sequence

from gitops_e2e.errors import HarnessError


class LineProcessFailed(HarnessError):
    """The command could not be started, ended, or did not answer in time."""


class LineProcess:
    """Runs the command while it is needed: started by the first exchange, and anew after one that failed.

    The command ends with its standard input, so it does not outlive this process. For one thread at a time.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self._process: subprocess.Popen[bytes] | None = None

    def exchange(self, line: str, *, timeout: float) -> str:
        """Give one line (without its newline) and take one, within `timeout` seconds. Raises LineProcessFailed."""
        process = self._process or self._start()
        try:
            return self._exchange(process, line.encode() + b"\n", time.monotonic() + timeout).decode()
        except BaseException:
            self.end()  # what it would say next belongs to this line
            raise

    def end(self) -> None:
        """End the command, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        except OSError as error:
            raise LineProcessFailed(f"cannot start {self._argv[0]}: {error}") from error
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], line: bytes, deadline: float) -> bytes:
        assert process.stdin is not None  # noqa: S101 - it was started with pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(line)
        except OSError as error:
            raise LineProcessFailed(f"{self._argv[0]} ended unexpectedly: {error}") from error
        answer = bytearray()
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise LineProcessFailed(f"{self._argv[0]} did not answer in time")
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise LineProcessFailed(f"{self._argv[0]} ended unexpectedly")
            answer += chunk
        return bytes(answer)
