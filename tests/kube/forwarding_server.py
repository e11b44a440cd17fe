"""A stand-in for the API server's `portforward`: it speaks the protocol, and what the pod says is the test's."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websocket import ABNF
from websocket._abnf import frame_buffer

from gitops_e2e.kube import Kube

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BOUND = 10.0

Pod = Callable[["Session"], None]


@dataclass
class Session:
    """The kubelet's end of one session."""

    connection: socket.socket
    port: int
    _frames: frame_buffer = field(init=False)

    def __post_init__(self) -> None:
        self._frames = frame_buffer(self._recv, skip_utf8_validation=True)

    def greet(self) -> None:
        """What the kubelet begins with: each channel's first message repeats the port."""
        for channel in (0, 1):
            self.send(channel, struct.pack("<H", self.port))

    def receive(self) -> bytes | None:
        """What the client sent next; None when it has left."""
        try:
            frame = self._frames.recv_frame()
        except (ConnectionError, ssl.SSLError):
            return None
        assert frame.opcode == ABNF.OPCODE_BINARY
        assert isinstance(frame.data, bytes)
        assert frame.data[0] == 0
        return frame.data[1:]

    def send(self, channel: int, data: bytes) -> None:
        self.frame(bytes([channel]) + data, ABNF.OPCODE_BINARY)

    def frame(self, data: bytes, opcode: int) -> None:
        header = bytes([0x80 | opcode])
        length = bytes([len(data)]) if len(data) < 126 else b"\x7f" + struct.pack(">Q", len(data))
        self.connection.sendall(header + length + data)

    def close(self) -> None:
        self.frame(struct.pack(">H", 1000), ABNF.OPCODE_CLOSE)

    def receive_opcode(self) -> int:
        """Of the next frame, whatever it is."""
        opcode: int = self._frames.recv_frame().opcode
        return opcode

    def _recv(self, size: int) -> bytes:
        data = self.connection.recv(size)
        if not data:
            raise ConnectionError("the client has left")
        return data


def echo(session: Session) -> None:
    """A pod that says what it hears."""
    session.greet()
    while (data := session.receive()) is not None:
        session.send(0, data)


@contextmanager
def serving(folder: Path, pod: Pod, *, status: int = 101) -> Iterator[tuple[Kube, list[str]]]:
    """A client of the server, and the request lines that it is asked by; `status` is what it answers them with."""
    asked: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(folder)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(plain: socket.socket) -> None:
        plain.settimeout(_BOUND)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client may leave at any time.
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            port = _shake_hands(connection, asked, status)
            if status == 101:
                pod(Session(connection, port))

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield Kube(kubeconfig(folder, f"https://127.0.0.1:{listener.getsockname()[1]}", certificate)), asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _shake_hands(connection: ssl.SSLSocket, asked: list[str], status: int) -> int:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    asked.append(first)
    if status != 101:
        body = json.dumps({"kind": "Status", "code": status, "message": 'pods "web" not found'}).encode()
        connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        return 0
    accepted = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + _MAGIC).encode()).digest()).decode()  # noqa: S324 - the protocol's
    answer = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accepted}",
        f"Sec-WebSocket-Protocol: {headers['sec-websocket-protocol']}",
    ]
    connection.sendall(("\r\n".join(answer) + "\r\n\r\n").encode())
    return int(first.split()[1].partition("ports=")[2])


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "stand-in.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


def kubeconfig(folder: Path, server: str, certificate: Path | None = None) -> Path:
    """Of a server, whether there is one or not."""
    file = folder / "kubeconfig"
    trusted = {"certificate-authority": str(certificate)} if certificate else {}
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server, **trusted}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return file
