"""The HTTPS server that the API server asks."""

from __future__ import annotations

import json
import logging
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import KubeError, Manifest
from gitops_e2e.promoter.admission.refusals import Refused, internal_error
from gitops_e2e.promoter.admission.reviews import Review, Rules, mutated, validated

_log = logging.getLogger(__name__)

MUTATE = "/mutate"
VALIDATE = "/validate"
_ANSWERS = {MUTATE: mutated, VALIDATE: validated}
_IDLE_SECONDS = 120.0
_LARGEST_REVIEW = 16 * 1024 * 1024


@dataclass(frozen=True)
class KeyPair:
    """A serving certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class AdmissionServer:
    """Answers AdmissionReviews at `/mutate` and `/validate` by the rules of the resource they are about.

    Used as a context: serves from entering to leaving. `keys` is asked again for every connection, as
    certificates are renewed. Raises HarnessError where the address cannot be had, and what `keys` raises.
    """

    def __init__(
        self, rules: Mapping[str, Rules], keys: Callable[[], KeyPair], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        try:
            self._server = _Server((host, port), _handler(rules), _Tls(keys))
        except OSError as error:
            raise HarnessError(f"cannot serve admission webhooks: {error}", where=f"{host}:{port}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="admission", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Tls:
    """The TLS settings, with the certificate as it is now."""

    def __init__(self, keys: Callable[[], KeyPair]) -> None:
        self._keys = keys
        self._loaded = keys()
        self._context = _context(self._loaded)
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        keys = self._keys()
        with self._lock:
            if keys != self._loaded:
                self._loaded, self._context = keys, _context(keys)
            return self._context


def _context(keys: KeyPair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile() as pem:  # which nobody else may read
        pem.write(keys.key + b"\n" + keys.certificate)
        pem.flush()
        context.load_cert_chain(pem.name)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], tls: _Tls) -> None:
        super().__init__(address, handler)
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs here, in the connection's own thread: a silent client must not hold up the others.
        request.settimeout(_IDLE_SECONDS)
        with (
            suppress(ConnectionError, TimeoutError, ssl.SSLError),
            self._tls.context().wrap_socket(request, server_side=True) as connection,
        ):
            super().finish_request(connection, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        # The connection is dropped, and the API server refuses the request it asked about.
        _log.exception("an admission request could not be answered")


def _handler(rules: Mapping[str, Rules]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if self._path() not in _ANSWERS or length > _LARGEST_REVIEW:
                self.send_error(404)
                return
            review = json.loads(self.rfile.read(length))
            body = json.dumps(answer(rules, self._path(), review)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _path(self) -> str:
            return self.path.partition("?")[0]  # the API server adds its timeout

        def log_message(self, *_: object) -> None:
            """One line a request would be the engine's longest log."""

    return Handler


def answer(rules: Mapping[str, Rules], path: str, review: Manifest) -> Manifest:
    """The AdmissionReview with the `response` to its `request`."""
    request = Review.of(review["request"])
    try:
        response = _ANSWERS[path](rules[request.resource], request)
    except Refused as refusal:
        response = _refusal(request, refusal)
    except KubeError as error:
        response = _refusal(request, internal_error(error.what))
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


def _refusal(request: Review, refusal: Refused) -> Manifest:
    return {"uid": request.uid, "allowed": False, "status": refusal.status}
