"""Running a command in a container: the API server's `exec` over a WebSocket.

Each message begins with the number of its channel: 1 standard output, 2 standard error, and 3 for the
metav1.Status that tells how the command ended (k8s.io/apimachinery/pkg/util/remotecommand).
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping

import websocket
from kubernetes.client import Configuration

from gitops_e2e.kube import errors
from gitops_e2e.kube.objects import Manifest

_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_SHOWN = 500


def run_in_container(
    url: str, settings: Configuration, headers: Mapping[str, str], *, timeout: float, doing: str
) -> str:
    """What the command of that exec URL printed. Raises KubeError; see `Kube.execute`."""
    deadline = time.monotonic() + timeout
    session = websocket.WebSocket(sslopt={"context": _tls(settings)})
    session.settimeout(timeout)
    try:
        session.connect(
            url.replace("http", "ws", 1),
            header=[f"authorization: {value}" for name, value in headers.items() if name.lower() == "authorization"],
            subprotocols=_PROTOCOLS,
            http_no_proxy=(settings.no_proxy or "").split(","),
        )
        output, status = _read(session, deadline)
    except websocket.WebSocketBadStatusException as error:
        raise errors.from_response(doing, error.status_code, error.resp_body or b"") from error
    except (websocket.WebSocketTimeoutException, TimeoutError) as error:
        raise errors.KubeError(doing, {"message": f"did not end within {timeout:g} s"}) from error
    except (websocket.WebSocketException, OSError) as error:
        raise errors.Unreachable(doing, error) from error
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


def _tls(settings: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if not settings.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
