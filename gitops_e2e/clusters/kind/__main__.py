"""`python -m gitops_e2e.clusters.kind COMMAND…`: runs a command with a Docker engine.

That is the machine's own where one answers, used as it is. Elsewhere one is started, with socket, data and network of
its own, and is gone when the command has ended. The exit code is the command's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.own_engine import some_engine
from gitops_e2e.errors import HarnessError
from gitops_e2e.progress import say


def main(command: Sequence[str]) -> int:
    """Run the command; its exit code, 1 where there is no engine to run it with, 2 without a command.

    An engine that does not end as it should is told, and is no success.
    """
    if not command:
        say("usage: python -m gitops_e2e.clusters.kind COMMAND…")
        return 2
    code: int | None = None
    try:
        with some_engine(Cache.of_user()) as engine:
            code = _run(command, engine)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except HarnessError as error:
        if code is None:
            say(f"There is no Docker engine to run on: {error}")
        else:
            say(f"The Docker engine did not end as it should: {error}")
        return code or 1
    return code


def _run(command: Sequence[str], engine: Engine) -> int:
    """Run it to its end, which an interrupt reaches by itself; it is interrupted when this process is killed."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "INT", "--", *command], env={**os.environ, **engine.environment}
    )

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command, too
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
