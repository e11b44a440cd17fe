"""A real API server for the engine's tests: kube-apiserver and etcd, no kubelet, no controllers."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gitops_e2e.commands import run
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.configuration import AtUrl, CaBundle, configurations
from gitops_e2e.promoter.admission.installation import install
from gitops_e2e.promoter.admission.registry import all_rules
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair
from gitops_e2e.promoter.api import crds
from gitops_e2e.promoter.expressions import Evaluator
from tests.control_plane import ControlPlane
from tests.promoter.conformance import Conformance
from tests.promoter.conformance_table import COUNTS

_FOREIGN_CRDS = {  # files by Go module
    "github.com/argoproj/argo-cd/v3": ("application-crd.yaml",),
    "github.com/argoproj/argo-rollouts": (
        "analysis-run-crd.yaml",
        "analysis-template-crd.yaml",
        "cluster-analysis-template-crd.yaml",
    ),
}
USERS = {  # their groups, by name
    "admin": "system:masters",
    "system:serviceaccount:kargo:kargo-controller": "system:masters",
    "alice": "",
}
_numbers = itertools.count(1)


@pytest.fixture
def conformance(request: pytest.FixtureRequest) -> Iterator[Conformance]:
    """Compares with a recording; the table of `make conformance` has what was compared."""
    held = Conformance()
    yield held
    counts = {
        "compared": sum(each.compared for each in held.comparisons),
        "ignored": sum(each.ignored for each in held.comparisons),
        "accepted": [str(each.citation) for each in held.accepted],
    }
    request.node.user_properties.append((COUNTS, json.dumps(counts)))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server that knows the built-in kinds only."""
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"), USERS)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def bare_apiserver(control_plane: ControlPlane) -> Path:
    """Its kubeconfig; the user is called `admin` and may do everything."""
    return control_plane.kubeconfig


@pytest.fixture(scope="session")
def apiserver(control_plane: ControlPlane) -> Path:
    """The same with Kargo's kinds, Applications, AnalysisRuns and AnalysisTemplates."""
    install_kinds(control_plane)
    return control_plane.kubeconfig


def install_kinds(plane: ControlPlane) -> None:
    """Have an API server know Kargo's kinds, Applications, AnalysisRuns and AnalysisTemplates."""
    kube = plane.kube()
    crds.install(kube)
    for module, files in _FOREIGN_CRDS.items():
        for file in files:
            manifest = yaml.safe_load((plane.module(module) / "manifests/crds" / file).read_text())
            manifest.pop("status", None)
            kube.apply(manifest)
            wait_served(kube, manifest)


@pytest.fixture(scope="session")
def kube(apiserver: Path) -> Kube:
    return Kube(apiserver)


@pytest.fixture(scope="session")
def kube_as(apiserver: Path, control_plane: ControlPlane) -> Callable[[str], Kube]:  # noqa: ARG001 - with Kargo's kinds
    """The same server for another user: `alice`, who has no rights yet, or the engine's own service account."""
    return lambda user: Kube(control_plane.kubeconfig_of(user))


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> str:
    return str(control_plane.binary("kubectl"))


@pytest.fixture(scope="session")
def kustomize(control_plane: ControlPlane) -> Path:
    return control_plane.binary("kustomize")


@pytest.fixture
def namespace(kube: Kube) -> str:
    """A fresh Project namespace."""
    name = f"project-{next(_numbers)}"
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kargo.akuity.io/project": "true"}},
        }
    )
    return name


@pytest.fixture(scope="session")
def expr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go command `expr`, built from this checkout."""
    command = tmp_path_factory.mktemp("toolchain") / "expr"
    go = shutil.which("go") or "/usr/local/go/bin/go"
    run([go, "build", "-o", command, "."], cwd=Path(__file__).parents[2] / "toolchain/expr", timeout=300)
    return command


@pytest.fixture(scope="session")
def evaluator(expr: Path) -> Iterator[Evaluator]:
    evaluator = Evaluator(expr)
    yield evaluator
    evaluator.close()


@pytest.fixture(scope="session")
def tools(expr: Path, control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the commands that the engine needs."""
    folder = tmp_path_factory.mktemp("tools")
    for command in (expr, control_plane.binary("kustomize"), control_plane.binary("helm")):
        (folder / command.name).symlink_to(command)
    return folder


@dataclass(frozen=True)
class GitServer:
    """Git over HTTP on this machine: repositories below `root`, under `url`/<name>.git, without a password.

    With the logins in it, `users` (password by name), a repository is for these only. Before a push learns where the
    branches are, a repository's hook `before-push` is run.
    """

    root: Path
    url: str
    users: dict[str, str]

    def create(self, name: str, files: Path) -> Path:
        """A repository whose branch main has these files; its path. People may push to it."""
        repository = self.root / f"{name}.git"
        run(["git", "init", "-q", "--bare", "-b", "main", repository], timeout=30)
        run(["git", "config", "http.receivepack", "true"], cwd=repository, timeout=30)
        seed = repository / "seed"
        shutil.copytree(files, seed)
        identity = ["-c", "user.name=Seed", "-c", "user.email=seed@example.test"]
        for command in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-qm", "Seed"]):
            run(["git", *command], cwd=seed, timeout=30)
        run(["git", "push", "-q", repository, "main"], cwd=seed, timeout=30)
        shutil.rmtree(seed)
        return repository


@pytest.fixture(scope="module")
def git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with _serving_git(tmp_path_factory.mktemp("git"), None) as server:
        yield server


@pytest.fixture(scope="module")
def secure_git_server(tmp_path_factory: pytest.TempPathFactory, serving_keys: KeyPair) -> Iterator[GitServer]:
    """The same over HTTPS, with the certificate `serving_keys`; it is in `root` as ca.crt, too."""
    with _serving_git(tmp_path_factory.mktemp("git"), serving_keys) as server:
        yield server


@contextmanager
def _serving_git(root: Path, keys: KeyPair | None) -> Iterator[GitServer]:
    users: dict[str, str] = {}
    handler = type("Handler", (_GitHandler,), {"root": root, "users": users})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if keys is not None:
        (root / "ca.crt").write_bytes(keys.certificate)
        (root / "tls.key").write_bytes(keys.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(root / "ca.crt", root / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield GitServer(root, f"{'https' if keys else 'http'}://127.0.0.1:{server.server_port}/git", users)
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


class _GitHandler(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend`."""

    root: Path
    users: dict[str, str]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self, body: bytes) -> None:
        if not self._may_enter():
            self._answer(401, [("WWW-Authenticate", "Basic realm=git")], b"")
            return
        path, _, query = self.path.removeprefix("/git").partition("?")
        repository = self.root / path.removeprefix("/").removesuffix("/info/refs")
        if query == "service=git-receive-pack" and (hook := repository / "hooks/before-push").exists():
            run([hook], cwd=repository, timeout=30)
        finished = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            timeout=60,
            check=False,
            env={
                **os.environ,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "somebody",
                "REMOTE_ADDR": "127.0.0.1",
            },
        )
        head, _, content = finished.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().splitlines()]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._answer(status, [(name, value) for name, value in headers if name != "Status"], content)

    def _may_enter(self) -> bool:
        if not self.users:
            return True
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(given).decode().partition(":") if kind == "Basic" else ("", "", "")
        return user in self.users and self.users[user] == password

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="session")
def serving_keys() -> KeyPair:
    """A certificate for 127.0.0.1, signed by itself."""
    return _serving_keys()


@pytest.fixture(scope="session")
def other_serving_keys() -> KeyPair:
    """Another one."""
    return _serving_keys()


@pytest.fixture(scope="module")
def admitted(kube: Kube, serving_keys: KeyPair) -> Iterator[Kube]:
    """The API server with the engine's admission webhooks; the user is called `admin`."""
    keys = serving_keys
    rules = all_rules(kube, Requesters(kube), lambda _promotion, _freight: ())
    with AdmissionServer(rules, lambda: keys) as server:
        trust = CaBundle(keys.certificate)
        address = AtUrl(f"https://127.0.0.1:{server.port}")
        install(kube, address, trust)
        yield kube
        for manifest in configurations(address, trust):
            kube.delete(Ref.of(manifest))


def wait_served(kube: Kube, crd: Manifest) -> None:
    """Wait until the API server serves the kind that was defined."""
    deadline = time.monotonic() + 30
    ref = Ref.of(crd)
    while not any(
        condition["type"] == "Established" and condition["status"] == "True"
        for condition in kube.get(ref)["status"]["conditions"] or []  # null at first
    ):
        assert time.monotonic() < deadline, f"{ref} is not served"
        time.sleep(0.02)


def _serving_keys() -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admission")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), private)
