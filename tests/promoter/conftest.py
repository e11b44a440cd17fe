"""A real API server for the engine's tests: kube-apiserver and etcd, no kubelet, no controllers."""

from __future__ import annotations

import base64
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gitops_e2e.commands import run
from gitops_e2e.kube import Kube, KubeError, Manifest, Ref
from gitops_e2e.promoter.admission.configuration import AtUrl, CaBundle, configurations
from gitops_e2e.promoter.admission.installation import install
from gitops_e2e.promoter.admission.registry import all_rules
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.server import AdmissionServer, KeyPair
from gitops_e2e.promoter.api import crds
from gitops_e2e.promoter.expressions import Evaluator

_MODULES = Path(os.environ.get("GOMODCACHE", Path.home() / "go/pkg/mod"))
_FOREIGN_CRDS = (
    "github.com/argoproj/argo-cd/v3@v3.2.11/manifests/crds/application-crd.yaml",
    "github.com/argoproj/argo-rollouts@v1.9.2/manifests/crds/analysis-run-crd.yaml",
    "github.com/argoproj/argo-rollouts@v1.9.2/manifests/crds/analysis-template-crd.yaml",
    "github.com/argoproj/argo-rollouts@v1.9.2/manifests/crds/cluster-analysis-template-crd.yaml",
)
_USERS = {  # their groups, by name
    "admin": "system:masters",
    "system:serviceaccount:kargo:kargo-controller": "system:masters",
    "alice": "",
}
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def bare_apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of an API server that knows the built-in kinds only; its user may do everything."""
    with _api_server(tmp_path_factory.mktemp("apiserver")) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def apiserver(bare_apiserver: Path) -> Path:
    """The same with Kargo's kinds, Applications, AnalysisRuns and AnalysisTemplates."""
    kube = Kube(bare_apiserver)
    crds.install(kube)
    for file in (_MODULES / path for path in _FOREIGN_CRDS):
        for manifest in yaml.safe_load_all(file.read_text()):
            if manifest and manifest["kind"] == "CustomResourceDefinition":
                manifest.pop("status", None)
                kube.apply(manifest)
                _wait_served(kube, manifest)
    return bare_apiserver


@pytest.fixture(scope="session")
def kube(apiserver: Path) -> Kube:
    return Kube(apiserver)


@pytest.fixture(scope="session")
def kube_as(apiserver: Path) -> Callable[[str], Kube]:
    """The same server for another user: `alice`, who has no rights yet, or the engine's own service account."""
    return lambda user: Kube(_kubeconfig_of(user, apiserver.parent))


@pytest.fixture(scope="session")
def kubectl() -> str:
    return _binary("kubectl")


@pytest.fixture(scope="session")
def kustomize() -> Path:
    return Path(_binary("kustomize"))


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
def tools(expr: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the commands that the engine needs."""
    folder = tmp_path_factory.mktemp("tools")
    for command in (str(expr), _binary("kustomize"), _binary("helm")):
        (folder / Path(command).name).symlink_to(command)
    return folder


@dataclass(frozen=True)
class GitServer:
    """Git over HTTP on this machine: repositories below `root`, under `url`/<name>.git, without a password.

    With the logins in it, `users` (password by name), a repository is for these only.
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
    root = tmp_path_factory.mktemp("git")
    users: dict[str, str] = {}

    class Handler(_GitHandler):
        pass

    Handler.root, Handler.users = root, users
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield GitServer(root, f"http://127.0.0.1:{server.server_port}/git", users)
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


@contextmanager
def _api_server(folder: Path) -> Iterator[Path]:
    etcd_port, peer_port, port = _free_ports(3)
    tokens = {user: secrets.token_hex(16) for user in _USERS}
    key = folder / "service-accounts.key"
    key.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    token_file = folder / "tokens.csv"
    token_file.write_text("".join(f"{tokens[user]},{user},{user},{group}\n" for user, group in _USERS.items()))
    etcd = [
        _binary("etcd", "server"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    apiserver = [
        _binary("kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'pki'}",
        "--authorization-mode=RBAC",
        f"--token-auth-file={token_file}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--disable-admission-plugins=ServiceAccount",
        "--profiling=false",
    ]
    with ExitStack() as stack:
        stack.enter_context(_process(etcd, folder / "etcd.log"))
        stack.enter_context(_process(apiserver, folder / "apiserver.log"))
        kubeconfig = _kubeconfig_of("admin", folder)
        ca = folder / "pki/apiserver.crt"
        for user, token in tokens.items():
            written = yaml.safe_dump(_kubeconfig(f"https://127.0.0.1:{port}", ca, token))
            _kubeconfig_of(user, folder).write_text(written)
        _wait_ready(kubeconfig, ca)
        yield kubeconfig


@contextmanager
def _process(argv: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *argv], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)


def _binary(*names: str) -> str:
    path = os.environ.get("GITOPS_E2E_BINARIES", str(Path(tempfile.gettempdir(), "gobin")))
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    pytest.skip(f"no {names[0]} in {path}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _kubeconfig_of(user: str, folder: Path) -> Path:
    return folder / f"kubeconfig-{user.rpartition(':')[2]}"


def _kubeconfig(url: str, ca: Path, token: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(ca)}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }


def _wait_ready(kubeconfig: Path, ca: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if ca.exists() and Kube(kubeconfig).raw("/readyz") == b"ok":
                return
        except KubeError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, f"no certificate: see {kubeconfig.parent}/apiserver.log"
        time.sleep(0.05)


def _wait_served(kube: Kube, crd: Manifest) -> None:
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
