"""What went wrong with a registry, in the words of go-containerregistry and of Go's HTTP client."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from gitops_e2e.errors import HarnessError
from gitops_e2e.promoter.api.gotext import quote

_PORTS = {"http": 80, "https": 443}


class RegistryFailure(HarnessError):
    """A registry could not be reached or read."""


class Refusal(RegistryFailure):
    """A registry answered with something else than success; `status` is the HTTP status code."""

    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(f"GET {url}: {_refused(status, body)}")
        self.status = status


def unreachable(url: str, error: requests.RequestException) -> RegistryFailure:
    """The failure for a request that got no answer."""
    return RegistryFailure(f"Get {quote(url)}: {_reason(url, error)}")


def _refused(status: int, body: bytes) -> str:
    diagnostics = _diagnostics(body)
    if len(diagnostics) == 1:
        return diagnostics[0]
    if diagnostics:
        return f"multiple errors returned: {'; '.join(diagnostics)}"
    text = body.decode(errors="replace")
    known = {known.value: known.phrase for known in HTTPStatus}
    code = f"unexpected status code {status} {known.get(status, '')}"
    return f"{code}: {text}" if text else code


def _diagnostics(body: bytes) -> list[str]:
    try:
        errors = json.loads(body).get("errors") or []
        return [_diagnostic(error) for error in errors]
    except (ValueError, AttributeError):
        return []


def _diagnostic(error: dict[str, Any]) -> str:
    text = f"{error.get('code', '')}: {error.get('message', '')}"
    detail = error.get("detail")
    return text if detail is None else f"{text}; {_printed(detail)}"


def _printed(value: Any) -> str:
    """A JSON value as Go's `%v` prints it."""
    match value:
        case dict():
            return f"map[{' '.join(f'{key}:{_printed(value[key])}' for key in sorted(value))}]"
        case list():
            return f"[{' '.join(map(_printed, value))}]"
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case float() | int():
            return f"{value:g}"
        case _:
            return str(value)


def _reason(url: str, error: requests.RequestException) -> str:
    causes = list(_causes(error))
    for cause in causes:
        if reason := _known_reason(url, cause):
            return reason
    return str(causes[-1])


def _known_reason(url: str, cause: BaseException) -> str:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    reason = ""
    match cause:
        case urllib3.exceptions.ConnectTimeoutError():
            reason = f"dial tcp {_address(host)}:{port}: i/o timeout"
        case urllib3.exceptions.ReadTimeoutError():
            reason = "net/http: timeout awaiting response headers"
        case socket.gaierror():
            reason = f"dial tcp: lookup {host}: no such host"
        case ssl.SSLError():
            reason = _tls_reason(cause)
        case ConnectionResetError() | BrokenPipeError():
            reason = f"read tcp {_address(host)}:{port}: read: {_words(cause.errno or errno.ECONNRESET)}"
        case urllib3.exceptions.ProtocolError():
            reason = "EOF"
        case OSError(errno=int(number)):
            reason = f"dial tcp {_address(host)}:{port}: connect: {_words(number)}"
    return reason


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {error.verify_message}"
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return "http: server gave HTTP response to HTTPS client"
    return f"tls: {error.reason or error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the origin first, as far as it is not just how requests passes it on."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    yield from (cause for cause in reversed(chain) if not isinstance(cause, requests.RequestException))
    yield error


def _address(host: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError:
        return host


def _words(number: int) -> str:
    return os.strerror(number).lower()
