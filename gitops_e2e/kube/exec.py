"""Running a command in a container: the API server's `exec` over a WebSocket.

Each message begins with the number of its channel: 1 standard output, 2 standard error, and 3 for the
metav1.Status that tells how the command ended (k8s.io/apimachinery/pkg/util/remotecommand).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import websocket

from gitops_e2e.kube import errors
from gitops_e2e.kube.objects import Manifest
from gitops_e2e.kube.websockets import typed

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
"""What the session may speak."""

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_SHOWN = 500


def run_in_container(connect: Callable[[], websocket.WebSocket], *, timeout: float, doing: str) -> str:
    """What the command of the exec session that `connect` opens printed. Raises KubeError; see `Kube.execute`."""
    deadline = time.monotonic() + timeout
    with typed(doing, timeout=timeout):
        session = connect()
        try:
            output, status = _read(session, deadline)
        finally:
            session.shutdown()
    if status.get("status") != "Success":
        raise errors.KubeError(doing, {"message": f"{status.get('message')}: {output.strip()[-_SHOWN:]}"})
    return output


def _read(session: websocket.WebSocket, deadline: float) -> tuple[str, Manifest]:
    output, status = b"", b""
    while True:
        session.settimeout(max(0.001, deadline - time.monotonic()))
        opcode, data = session.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
        if data and data[0] in (_STDOUT, _STDERR):
            output += data[1:]
        elif data and data[0] == _STATUS:
            status += data[1:]
    return output.decode(errors="replace"), json.loads(status or b'{"message": "the session ended without a status"}')
