"""One port of this machine's loopback: whoever connects is served, each in a thread, until it is closed."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
import time
from collections.abc import Callable

from gitops_e2e.clusters.existing.errors import PreflightRefused

LOOPBACK = "127.0.0.1"

_END_BOUND = 5.0
_PAUSE = 0.1
_BACKLOG = 128
# On, and for no time: closing sends a reset.
_NO_LINGERING = struct.pack("ii", 1, 0)


class PortTaken(PreflightRefused):
    """Something else on this machine listens at the number of a NodePort."""


class Listener:
    """Listens at once. Raises PortTaken."""

    def __init__(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        self._port = port
        self._serve = serve
        self._socket = _listen(port)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(target=self._accept, name=f"NodePort {port}", daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Listen no longer, and end every connection. What does not end within 5 s is left to its bounds."""
        self._closed.set()
        _shut_down(self._socket)
        self._accepting.join(_END_BOUND)
        self._socket.close()
        with self._lock:
            serving = dict(self._serving)
        for client in serving.values():
            _shut_down(client)
        deadline = time.monotonic() + _END_BOUND
        for thread in serving:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                # It was closed, or this process has no file descriptors left: until it has, clients wait.
                self._closed.wait(_PAUSE)
                continue
            thread = threading.Thread(target=self._run, args=(client,), name=f"NodePort {self._port}", daemon=True)
            with self._lock:
                self._serving[thread] = client
            thread.start()

    def _run(self, client: socket.socket) -> None:
        try:
            with client:
                self._serve(client)
        finally:
            with self._lock:
                del self._serving[threading.current_thread()]


def reset_at_end(client: socket.socket) -> None:
    """Let the end of the connection be a reset, by which its other end knows that something went wrong."""
    with contextlib.suppress(OSError):  # the other end was faster
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port), backlog=_BACKLOG)
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise PortTaken(
            f"NodePort {port} cannot be forwarded: port {port} of {LOOPBACK} is not free ({error.strerror})",
            remedy=f"end what listens there (`ss -ltnp 'sport = :{port}'`), or run where the nodes can be reached",
        ) from error


def _shut_down(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        one.shutdown(socket.SHUT_RDWR)
