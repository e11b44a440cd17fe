"""Answering the probes of the process table, from within the node."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - else loaded when first connecting, when Python's folder is out of sight
import http.client
import socket
import ssl
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from gitops_e2e.clusters.node.layout import PKI
from gitops_e2e.clusters.node.processes import Probe

_ANSWER_BOUND = 2.0


class Prober:
    """Asks as the cluster's administrator, and trusts nobody but the node's own authority."""

    def holds(self, probe: Probe) -> bool:
        """Whether the answer is yes now. Takes 2 s at most for a connection, and as long for each answer."""
        if probe.kind == "path":
            return Path(probe.target).exists()
        try:
            return self._accepts(probe.target) if probe.kind == "connect" else self._answers(probe)
        except (OSError, http.client.HTTPException):
            return False

    @staticmethod
    def _accepts(target: str) -> bool:
        if target.startswith("/"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_BOUND)
                connection.connect(target)
            return True
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), _ANSWER_BOUND):
            return True

    def _answers(self, probe: Probe) -> bool:
        url = urlsplit(probe.target)
        host = str(url.hostname)
        if url.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, url.port, timeout=_ANSWER_BOUND, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(host, url.port, timeout=_ANSWER_BOUND)
        try:
            connection.request("GET", url.path)
            response = connection.getresponse()
            return response.status == http.client.OK and probe.contains in response.read().decode(errors="replace")
        finally:
            connection.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
        context.load_cert_chain(PKI / "admin.crt", PKI / "admin.key")
        return context
