"""External commands: always bounded, never outliving the run that started them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.deeds import Ran, tell
from gitops_e2e.errors import HarnessError

_TAIL_LINES = 20


@dataclass(frozen=True)
class Finished:
    """A command that ended with exit code 0."""

    argv: tuple[str, ...]
    stdout: str
    stderr: str
    seconds: float


class CommandFailed(HarnessError):
    """The command could not be started, or ended with another exit code than 0."""

    def __init__(self, what: str, *, output: str, remedy: str | None = None) -> None:
        super().__init__(f"{what}{_indented_tail(output)}", remedy=remedy)
        self.output = output


class CommandTimedOut(CommandFailed):
    """The command was ended because it took longer than its bound."""


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    remedy: str | None = None,
) -> Finished:
    """Run a command to its end.

    `timeout` is in seconds; `env` is added to the environment of this process.
    The command dies with the calling thread (`setpriv --pdeathsig`), so that a killed
    run leaves nothing behind; as this call blocks, the thread lives as long as it must.

    Raises CommandTimedOut or CommandFailed, with the last lines of what was printed.
    """
    words = tuple(str(word) for word in argv)
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *words],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(f"cannot start `{shlex.join(words)}`: {error}", output="", remedy=remedy) from error
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _end(process)
            stdout, stderr = process.communicate()
            tell(Ran(words, time.monotonic() - started, None))
            raise CommandTimedOut(
                f"`{shlex.join(words)}` did not end within {timeout:g} s",
                output=stdout + stderr,
                remedy=remedy,
            ) from error
        except BaseException:
            _end(process)
            raise
    tell(Ran(words, time.monotonic() - started, process.returncode))
    if process.returncode != 0:
        raise CommandFailed(
            f"`{shlex.join(words)}` ended with exit code {process.returncode}",
            output=stdout + stderr,
            remedy=remedy,
        )
    return Finished(words, stdout, stderr, time.monotonic() - started)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended in the meantime


def _indented_tail(output: str) -> str:
    lines = output.strip().splitlines()[-_TAIL_LINES:]
    return "".join(f"\n    | {line}" for line in lines)
