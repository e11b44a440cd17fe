"""The command line of the engine: `python -m gitops_e2e.promoter`.

Prints one line to standard output when it is ready, logs to standard error, and ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.accounts import in_cluster_kubeconfig
from gitops_e2e.promoter.engine import Address, Engine, Settings

_logger = logging.getLogger(__name__)


class ThreadDied(HarnessError):
    """A part of the engine ended that should not have."""


def main() -> int:
    """Run the engine until it is told to end; the exit code."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        _run(options, options.kubeconfig or in_cluster_kubeconfig(options.work_dir))
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(options: argparse.Namespace, kubeconfig: Path) -> None:
    end = threading.Event()
    died: list[str] = []

    def on_thread_death(failure: threading.ExceptHookArgs) -> None:
        name = failure.thread.name if failure.thread else "a thread"
        _logger.critical("%s died", name, exc_info=failure.exc_value)
        died.append(name)
        end.set()

    threading.excepthook = on_thread_death
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    engine = Engine(
        kubeconfig,
        webhooks=options.webhook_address,
        certificates=options.cert,
        tools=options.tools,
        work_dir=options.work_dir,
        settings=Settings.of(os.environ),
    )
    with engine:
        sys.stdout.write(f"ready: webhooks at {engine.url}\n")
        sys.stdout.flush()
        end.wait()
    if died:
        raise ThreadDied(f"{died[0]} ended unexpectedly", remedy="see the log above; start the engine again")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gitops_e2e.promoter", description="Kargo-compatible promotion engine"
    )
    parser.add_argument("--kubeconfig", type=Path, help="file to reach the API server with; default: as this pod")
    parser.add_argument(
        "--webhook-address", type=Address.parse, required=True, metavar="HOST:PORT", help="where to serve webhooks"
    )
    parser.add_argument("--cert", type=Path, required=True, metavar="DIR", help="folder with tls.crt and tls.key")
    parser.add_argument(
        "--tools", type=Path, required=True, metavar="DIR", help="folder with the commands expr, helm and kustomize"
    )
    parser.add_argument(
        "--work-dir", type=Path, required=True, metavar="DIR", help="where promotions keep their files; emptied first"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
