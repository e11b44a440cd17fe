"""A real etcd and a real API server on loopback, for tests of what only needs the API: no kubelet, so no pod runs.

`ControlPlane` can be killed, restarted and compacted at will.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gitops_e2e.cache import Cache
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError
from gitops_e2e.toolchain import Toolchain

_READY_BOUND = 60.0
_ADMIN = MappingProxyType({"admin": "system:masters"})


class Process:
    """A process of the test's own, which dies with it."""

    def __init__(self, argv: Sequence[str | Path], log: Path) -> None:
        self._argv = [str(word) for word in argv]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self._argv], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing, as a machine that lost its network does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def check(self) -> None:
        """Raises HarnessError with its last lines if it ended by itself."""
        if self._process and self._process.poll() is not None:
            raise HarnessError(f"{self._argv[0]} ended with {self._process.returncode}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            os.kill(self._process.pid, number)


class ControlPlane:
    """etcd and kube-apiserver, and whatever controllers a test adds.

    `users` are known by name, each with its one group or none.
    """

    def __init__(self, folder: Path, users: Mapping[str, str] = _ADMIN, *, etcd_port: int | None = None) -> None:
        self._folder = folder
        self._users = users
        self._toolchain = Toolchain(Cache.of_user())
        self._etcd_port, peer, self._api_port = etcd_port or free_port(), free_port(), free_port()
        etcd_url = f"http://127.0.0.1:{self._etcd_port}"
        peer_url = f"http://127.0.0.1:{peer}"
        self.etcd = self.process(
            "etcd",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
        )
        self.api_server = self.process(
            "kube-apiserver",
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._api_port}",
            f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={self._tokens()}",
            "--authorization-mode=RBAC",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._service_account_key()}",
            f"--service-account-signing-key-file={self._service_account_key()}",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged=true",
        )
        self.controllers: list[Process] = []

    @staticmethod
    def beside(other: ControlPlane) -> ControlPlane:
        """Another API server on the same etcd; neither is started."""
        folder = other._folder / "beside"
        folder.mkdir()
        return ControlPlane(folder, etcd_port=other._etcd_port)

    # --- its life

    def start(self) -> None:
        self.etcd.start()
        self.api_server.start()
        self.wait_until_ready()

    def stop(self) -> None:
        for process in [*self.controllers, self.api_server, self.etcd]:
            process.kill()

    def restart_api_server(self) -> None:
        self.api_server.kill()
        self.api_server.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_BOUND
        while not self._ready():
            self.etcd.check()
            self.api_server.check()
            if time.monotonic() > deadline:
                raise HarnessError("the API server did not get ready", where=str(self._folder))
            time.sleep(0.05)

    def run_controller(self, name: str, *flags: str) -> Process:
        """Start a controller of the toolchain with a kubeconfig for this API server."""
        controller = self.process(name, f"--kubeconfig={self.kubeconfig}", *flags)
        self.controllers.append(controller)
        controller.start()
        return controller

    def compact(self) -> None:
        """Make etcd forget everything but the present state."""
        revision = self._etcd("range", {"key": base64.b64encode(b"/").decode()})["header"]["revision"]
        self._etcd("compaction", {"revision": revision, "physical": True})

    # --- what is needed to talk to it

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.kubeconfig_of("admin")

    def kubeconfig_of(self, user: str) -> Path:
        """A user's; written anew, as the certificate only exists once the server has started."""
        file = self._folder / f"kubeconfig-{user.rpartition(':')[2]}"
        certificate = self._folder / "certificates" / "apiserver.crt"
        cluster = {"server": f"https://127.0.0.1:{self._api_port}", "certificate-authority": str(certificate)}
        file.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "test", "cluster": cluster}],
                    "users": [{"name": user, "user": {"token": _token(user)}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
                    "current-context": "test",
                }
            )
        )
        return file

    def kube(self) -> Kube:
        return Kube(self.kubeconfig)

    def binary(self, name: str) -> Path:
        """A command of the toolchain."""
        return self._toolchain.binary(name)

    def module(self, path: str) -> Path:
        """The folder of a Go module of the toolchain, where upstream's manifests are."""
        return self._toolchain.module_dir(path)

    # --- inside

    def process(self, name: str, *flags: str) -> Process:
        return Process([self.binary(name), *flags], self._folder / f"{name}.log")

    def _ready(self) -> bool:
        try:
            return (self._folder / "certificates" / "apiserver.crt").exists() and self.kube().raw("/readyz") == b"ok"
        except KubeError:
            return False

    def _tokens(self) -> Path:
        file = self._folder / "tokens.csv"
        file.write_text("".join(f"{_token(user)},{user},{user},{group}\n" for user, group in self._users.items()))
        return file

    def _service_account_key(self) -> Path:
        file = self._folder / "service-accounts.pem"
        if not file.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            file.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            )
        return file

    def _etcd(self, call: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        answer = requests.post(f"http://127.0.0.1:{self._etcd_port}/v3/kv/{call}", json=body, timeout=10)
        answer.raise_for_status()
        parsed: dict[str, dict[str, str]] = answer.json()
        return parsed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def apply_all(kube: Kube, manifests: Iterable[dict[str, object]]) -> None:
    for manifest in manifests:
        kube.apply(manifest)


def _token(user: str) -> str:
    return f"token-of-{user.rpartition(':')[2]}"
