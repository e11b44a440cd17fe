"""The control channel of a node: a Unix socket at which init answers, one JSON line for one JSON line."""

from __future__ import annotations

import json
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.clusters.node.errors import NodeFailed
from gitops_e2e.clusters.node.running import Runner, Status

_ANSWER_BOUND = 5.0


@dataclass(frozen=True)
class Control:
    """The owner's end. Every call raises NodeFailed when init does not answer, or refuses."""

    path: Path

    def status(self) -> Status:
        """How the node's processes are now."""
        return self._ask({"do": "status"})

    def wait(self, seconds: float) -> Status:
        """The status once the node is ready or one of its processes died, at the latest after that time."""
        return self._ask({"do": "wait", "seconds": seconds}, bound=seconds + _ANSWER_BOUND)

    def signal(self, process: str, number: signal.Signals) -> Status:
        """Signal one of the node's processes, to kill, stop or continue it."""
        return self._ask({"do": "signal", "process": process, "signal": int(number)})

    def restart(self, process: str) -> Status:
        """End one of the node's processes, if it has not ended, and start it again; `wait` waits for it."""
        return self._ask({"do": "restart", "process": process})

    def _ask(self, request: dict[str, Any], bound: float = _ANSWER_BOUND) -> Status:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(bound)
                connection.connect(str(self.path))
                with connection.makefile("rw") as stream:
                    stream.write(json.dumps(request) + "\n")
                    stream.flush()
                    answer: dict[str, Any] = json.loads(stream.readline() or '{"refused": "it ended meanwhile"}')
        except OSError as error:
            raise NodeFailed(f"the node's init does not answer: {error}", where=str(self.path)) from error
        if "refused" in answer:
            raise NodeFailed(f"the node's init cannot {request['do']}: {answer['refused']}", where=str(self.path))
        return Status.from_json(answer)


def listen(path: Path) -> socket.socket:
    """Init's end: a socket at that path, in the place of what a dead node may have left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def serve(listener: socket.socket, runner: Runner) -> None:
    """Answer whoever connects, each in a thread; does not return."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve_one, args=(connection, runner), daemon=True).start()


def _serve_one(connection: socket.socket, runner: Runner) -> None:
    with connection, connection.makefile("rw") as stream:
        try:
            answer = _do(json.loads(stream.readline()), runner).to_json()
        except (KeyError, ValueError) as error:
            answer = {"refused": f"{type(error).__name__}: {error}"}
        try:
            stream.write(json.dumps(answer) + "\n")
            stream.flush()
        except OSError:
            return  # whoever asked has gone


def _do(request: dict[str, Any], runner: Runner) -> Status:
    if request["do"] == "wait":
        return runner.wait(float(request["seconds"]))
    if request["do"] == "signal":
        runner.signal(request["process"], signal.Signals(request["signal"]))
    elif request["do"] == "restart":
        runner.restart(request["process"])
    elif request["do"] != "status":
        raise ValueError(request["do"])
    return runner.status()
