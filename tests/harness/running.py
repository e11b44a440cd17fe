"""`pytest features/` as a user runs it, and what is left of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_BOUND = 240.0

# The Python that runs this may lie where only root can read.
_READING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *_READING)
INTERRUPTIBLE = ("env", "--default-signal=INT")
"""What to run a command by so that Ctrl-C reaches it, even where these tests run in the background."""

AS_NOBODY = _NOBODY if os.geteuid() == 0 else ()
"""What to run a command by so that it is not root's."""


def with_mounts(script: str) -> Sequence[str]:
    """What to run a command by so that it, and nobody else, sees what the shell script mounts."""
    return ("unshare", "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh")


@dataclass
class Run:
    """A running `pytest features/`; `lines` is what it has printed so far, on either stream."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(self.lines)

    def until(self, words: str) -> None:
        """Read until a line with these words is printed."""
        for line in self._read():
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}:\n{self.text}")

    def interrupt(self) -> None:
        """What Ctrl-C does: SIGINT for everything in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read to the end; the exit code."""
        for _ in self._read():
            pass
        return self.process.wait()

    def _read(self) -> Iterator[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            yield line


@contextmanager
def running(
    *options: str,
    within: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    bound: float = _BOUND,
) -> Iterator[Run]:
    """Run it, in a process group of its own as a terminal's foreground; killed when it takes too long.

    Its report is kept nowhere: what these tests do to scenarios is no history of theirs.
    """
    reports = tempfile.mkdtemp(prefix="reports-")
    pytest_options = ("-p", "no:cacheprovider", f"--reports={reports}", *options)
    process = subprocess.Popen(
        [*INTERRUPTIBLE, *within, sys.executable, "-m", "pytest", "features/", *pytest_options],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    timer = threading.Timer(bound, process.kill)
    timer.start()
    try:
        yield Run(process)
    finally:
        timer.cancel()
        process.kill()
        process.communicate()
        shutil.rmtree(reports, ignore_errors=True)


def run(
    *options: str,
    within: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    bound: float = _BOUND,
) -> tuple[int, str]:
    """Run it to its end: the exit code and all that was printed."""
    with running(*options, within=within, env=env, folder=folder, bound=bound) as one:
        return one.end(), one.text


def assert_refused(code: int, text: str, *words: str) -> None:
    """It failed, and the last that it printed is one clear message with these words, and no stack trace."""
    assert code not in {0, -signal.SIGKILL}, text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    last = " ".join(text.rpartition("There is no cluster to run on: ")[2].split())
    assert len(last) < 2000, text
    for each in words:
        assert each in last, text
