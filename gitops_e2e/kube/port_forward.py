"""Carrying a connection to a port of a pod: the API server's `portforward` over a WebSocket.

Each message begins with the number of its channel: 0 the connection's bytes, 1 what went wrong, in words. The first
message of either only repeats the port (k8s.io/kubelet/pkg/cri/streaming/portforward, websocket.go). The protocol has
no way to tell that one end has said all it had to say: whichever end closes, closes both.
"""

from __future__ import annotations

import select
import socket
import ssl

import websocket
from websocket import ABNF

from gitops_e2e.kube import errors
from gitops_e2e.kube.websockets import typed

FORWARD_PROTOCOLS = ("v4.channel.k8s.io",)
"""What the session may speak."""

_DATA, _ERROR = 0, 1
_CHUNK = 64 * 1024
_MOST_WAITING = 4 * _CHUNK
_STALL_BOUND = 30.0
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def carry(client: socket.socket, session: websocket.WebSocket, *, doing: str) -> None:
    """Carry what either end sends to the other until one closes; neither is closed then.

    A client that resets or leaves is no error. Raises KubeError with the kubelet's words, or where nothing can be
    delivered for 30 s once an end has closed, and Unreachable where the session breaks.
    """
    client.settimeout(0)
    session.settimeout(0)
    with typed(doing, timeout=_STALL_BOUND):
        _Relay(client, session, doing).run()


class _Relay:
    """One thread's work on both ends: OpenSSL lets no two threads use one session.

    Neither end is read while too much of it waits for the other, so that a slow end slows the other one down.
    """

    def __init__(self, client: socket.socket, session: websocket.WebSocket, doing: str) -> None:
        self._client = client
        self._session = session
        self._doing = doing
        self._for_session = bytearray()
        self._for_client = bytearray()
        self._greeted: set[int] = set()
        self._client_ended = False
        self._session_ended = False

    def run(self) -> None:
        """Carry until an end has closed and the other was told all that came before."""
        while not self._over:
            of_client, of_session = self._ready()
            if of_client & ~select.POLLOUT:
                self._read_client()
            if of_session & ~select.POLLOUT:
                self._read_session()
            if of_client & select.POLLOUT:
                self._write_client()
            if of_session & select.POLLOUT:
                self._write_session()

    @property
    def _over(self) -> bool:
        if self._client_ended and self._session_ended:
            return True
        return (self._client_ended and not self._for_session) or (self._session_ended and not self._for_client)

    def _ready(self) -> tuple[int, int]:
        """What can be done at each end, as poll tells it; waits until there is something."""
        if self._wanted_of_session & select.POLLIN and self._decrypted:
            return 0, select.POLLIN
        poller = select.poll()
        for end, events in ((self._client, self._wanted_of_client), (self._session, self._wanted_of_session)):
            if events:
                poller.register(end, events)
        ready = dict(poller.poll(_STALL_BOUND * 1000 if self._client_ended or self._session_ended else None))
        if not ready:
            raise errors.KubeError(self._doing, {"message": f"nothing could be delivered for {_STALL_BOUND:g} s"})
        return ready.get(self._client.fileno(), 0), ready.get(self._session.fileno(), 0)

    @property
    def _wanted_of_client(self) -> int:
        if self._client_ended:
            return 0
        reading = not self._session_ended and len(self._for_session) < _MOST_WAITING
        return _events(reading=reading, writing=bool(self._for_client))

    @property
    def _wanted_of_session(self) -> int:
        if self._session_ended:
            return 0
        return _events(reading=len(self._for_client) < _MOST_WAITING, writing=bool(self._for_session))

    @property
    def _decrypted(self) -> bool:
        """Whether something has left the socket that was not read yet: poll does not tell of it."""
        return isinstance(self._session.sock, ssl.SSLSocket) and self._session.sock.pending() > 0

    def _read_client(self) -> None:
        try:
            data = self._client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._lose_client()
            return
        if data:
            self._for_session += _frame(bytes([_DATA]) + data, ABNF.OPCODE_BINARY)
        else:
            self._client_ended = True

    def _write_client(self) -> None:
        try:
            del self._for_client[: self._client.send(self._for_client)]
        except BlockingIOError:
            return
        except OSError:
            self._lose_client()

    def _lose_client(self) -> None:
        self._client_ended = True
        self._for_session.clear()

    def _read_session(self) -> None:
        try:
            frame = self._session.recv_frame()  # what has come of one is kept where it is not whole
        except _NOT_NOW:
            return
        if frame.opcode == ABNF.OPCODE_BINARY:
            self._take(frame.data)
        elif frame.opcode == ABNF.OPCODE_CLOSE:
            self._session_ended = True
        elif frame.opcode == ABNF.OPCODE_PING:
            self._for_session += _frame(frame.data, ABNF.OPCODE_PONG)
        elif frame.opcode != ABNF.OPCODE_PONG:
            raise websocket.WebSocketProtocolException(f"a frame of kind {frame.opcode}")

    def _take(self, message: bytes) -> None:
        channel, said = message[0], message[1:]
        if channel not in self._greeted:
            self._greeted.add(channel)
        elif channel == _DATA:
            self._for_client += said
        elif channel == _ERROR:
            raise errors.KubeError(self._doing, {"message": said.decode(errors="replace").strip()})
        else:
            raise websocket.WebSocketProtocolException(f"a message of channel {channel}")

    def _write_session(self) -> None:
        wire = self._session.sock
        if wire is None:
            raise websocket.WebSocketConnectionClosedException("the session was closed")
        try:
            del self._for_session[: wire.send(self._for_session)]
        except _NOT_NOW:
            return


def _events(*, reading: bool, writing: bool) -> int:
    return (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)


def _frame(data: bytes, opcode: int) -> bytes:
    framed: bytes = ABNF.create_frame(data, opcode).format()
    return framed
