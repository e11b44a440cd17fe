"""Answering the probes of the process table, from within the node."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - else loaded when first connecting, when Python's folder is out of sight
import http.client
import socket
import ssl
import threading
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from gitops_e2e.clusters.node.layout import PKI
from gitops_e2e.clusters.node.processes import Probe

_ANSWER_BOUND = 2.0
_CONNECT_BOUND = 0.1  # a first packet that nobody answers is repeated after a second: ask anew instead


class Prober:
    """Asks as the cluster's administrator, and trusts nobody but the node's own authority."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def holds(self, probe: Probe) -> bool:
        """Whether the answer is yes now. Takes seconds at most."""
        try:
            match probe.kind:
                case "connect":
                    return self._accepts(probe.target)
                case "get":
                    return self._answers(probe)
                case "read":
                    return probe.contains in Path(probe.target).read_text(errors="replace")
        except (OSError, http.client.HTTPException):
            return False

    @staticmethod
    def _accepts(target: str) -> bool:
        if target.startswith("/"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_CONNECT_BOUND)
                connection.connect(target)
            return True
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), _CONNECT_BOUND):
            return True

    def _answers(self, probe: Probe) -> bool:
        url = urlsplit(probe.target)
        connection = self._connection(url.scheme, url.netloc)
        try:
            connection.request("GET", url.path)
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request connects again
            raise
        return response.status == http.client.OK and probe.contains in body

    def _connection(self, scheme: str, place: str) -> http.client.HTTPConnection:
        """The connection of this thread: the handshakes of many short ones would slow down the start they wait for."""
        connections: dict[str, http.client.HTTPConnection] = self._of_thread.__dict__
        if place not in connections:
            connections[place] = (
                http.client.HTTPSConnection(place, timeout=_ANSWER_BOUND, context=self._tls)
                if scheme == "https"
                else http.client.HTTPConnection(place, timeout=_ANSWER_BOUND)
            )
        return connections[place]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
        context.load_cert_chain(PKI / "admin.crt", PKI / "admin.key")
        return context
