"""Opening a WebSocket to an API server, with its errors typed: what `exec` and `portforward` speak over."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import websocket
from kubernetes.client import Configuration

from gitops_e2e.kube import errors


def tls(settings: Configuration) -> ssl.SSLContext:
    """How that server is trusted, and how its user is known to it where a certificate tells."""
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if not settings.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


def connect(
    url: str,
    trust: ssl.SSLContext,
    headers: Mapping[str, str],
    protocols: Sequence[str],
    *,
    no_proxy: str | None,
    timeout: float,
) -> websocket.WebSocket:
    """An open session at an http or https URL; `timeout` is in seconds, for each step of opening it.

    Raises what the `websocket` package raises: see `typed`.
    """
    session = websocket.WebSocket(sslopt={"context": trust})
    session.connect(
        url.replace("http", "ws", 1),
        header=[f"authorization: {value}" for name, value in headers.items() if name.lower() == "authorization"],
        subprotocols=list(protocols),
        http_no_proxy=(no_proxy or "").split(","),
        timeout=timeout,
    )
    return session


@contextmanager
def typed(doing: str, *, timeout: float) -> Iterator[None]:
    """Give what goes wrong with a session as KubeError; `timeout`, in seconds, is the bound that is told."""
    try:
        yield
    except websocket.WebSocketBadStatusException as error:
        raise errors.from_response(doing, error.status_code, error.resp_body or b"") from error
    except (websocket.WebSocketTimeoutException, TimeoutError) as error:
        raise errors.KubeError(doing, {"message": f"did not end within {timeout:g} s"}) from error
    except (websocket.WebSocketException, OSError) as error:
        raise errors.Unreachable(doing, error) from error
