"""The webhooks' certificate comes from cert-manager, which puts its authority into their configuration, too."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.configuration import (
    BehindService,
    InjectedBy,
    configurations,
    is_trusted,
    serving_certificate,
)
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair
from tests.control_plane import ControlPlane
from tests.promoter.conftest import wait_served

pytestmark = pytest.mark.node

SERVER = BehindService("kargo", "kargo-webhooks-server")
SECRET = Ref("v1", "Secret", "kargo-webhooks-server-cert", "kargo")
WAIT = 60.0


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """An API server with cert-manager's controller and cainjector."""
    plane = ControlPlane(tmp_path_factory.mktemp("certified"))
    try:
        plane.start()
        kube = plane.kube()
        for file in sorted((plane.module("github.com/cert-manager/cert-manager") / "deploy/crds").glob("*.yaml")):
            kube.apply(without_templating(file))
            wait_served(kube, without_templating(file))
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SERVER.namespace}})
        plane.run_controller("cert-manager-controller", "--leader-elect=false", "--metrics-listen-address=127.0.0.1:0")
        plane.run_controller("cert-manager-cainjector", "--leader-elect=false")
        yield kube
    finally:
        plane.stop()


def without_templating(file: Path) -> Manifest:
    """A definition of cert-manager's, of whose labels a chart is part."""
    lines = [line for line in file.read_text().splitlines() if not re.search(r"\{\{.*\}\}", line)]
    manifest: Manifest = yaml.safe_load("\n".join(lines))
    return manifest


def eventually(look: Callable[[], Manifest | None], holds: Callable[[Manifest], bool] = bool) -> Manifest:
    deadline = time.monotonic() + WAIT
    while (seen := look()) is None or not holds(seen):
        assert time.monotonic() < deadline, f"still {seen}"
        time.sleep(0.05)
    return seen


def served(port: int, authority: bytes) -> str:
    """The version of TLS spoken with the server by somebody who trusts that authority alone."""
    context = ssl.create_default_context(cadata=authority.decode())
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=SERVER.host) as secured,
    ):
        return secured.version() or ""


def test_the_certificate_is_issued_and_its_authority_injected(certified: Kube) -> None:
    manifests = serving_certificate(SERVER, secret=SECRET.name)
    for manifest in [*manifests, *configurations(SERVER, InjectedBy(SERVER.namespace, SERVER.name))]:
        certified.apply(manifest)
    data = eventually(lambda: certified.find(SECRET), lambda secret: "tls.crt" in secret.get("data", {}))["data"]
    keys = KeyPair(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        ref = Ref("admissionregistration.k8s.io/v1", kind, "kargo")
        configuration = eventually(partial(certified.get, ref), is_trusted)
        authority = base64.b64decode(configuration["webhooks"][0]["clientConfig"]["caBundle"])
        with AdmissionServer({}, lambda: keys) as server:
            assert served(server.port, authority).startswith("TLSv1.")
