"""The engine as a process of its own, for tests of the whole of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.configuration import AtUrl, CaBundle, configurations
from gitops_e2e.promoter.admission.installation import install
from gitops_e2e.promoter.admission.server import KeyPair
from gitops_e2e.promoter.api.kinds import API_VERSION

WAIT = 30.0


def until(description: str, holds: Callable[[], Any]) -> Any:
    """What the function gives, once that is something."""
    deadline = time.monotonic() + WAIT
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited in vain: {description}"
        time.sleep(0.02)
    return found


def an_object(kind: str, name: str, namespace: str | None = None, **fields: Any) -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields}


@dataclass(frozen=True)
class Place:
    """What an engine is started with."""

    kubeconfig: Path
    tools: Path
    folder: Path

    @staticmethod
    def make(kubeconfig: Path, tools: Path, folder: Path, keys: KeyPair) -> Place:
        (folder / "tls.crt").write_bytes(keys.certificate)
        (folder / "tls.key").write_bytes(keys.key)
        return Place(kubeconfig, tools, folder)

    @contextmanager
    def engine(self, *, address: str = "127.0.0.1:0") -> Iterator[tuple[subprocess.Popen[str], str]]:
        """A running engine and the address of its webhooks."""
        argv = [
            *(sys.executable, "-m", "gitops_e2e.promoter", "--kubeconfig", str(self.kubeconfig)),
            *("--webhook-address", address, "--cert", str(self.folder), "--tools", str(self.tools)),
            *("--work-dir", str(self.folder / "work")),
        ]
        with (self.folder / "engine.log").open("a") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *argv], stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready: webhooks at https://"), (self.folder / "engine.log").read_text()
            yield process, line.split()[-1]
        finally:
            process.kill()
            process.wait(10)


@contextmanager
def webhooks(kube: Kube, url: str, keys: KeyPair) -> Iterator[None]:
    """The API server asks this engine about what is written."""
    server, trust = AtUrl(url), CaBundle(keys.certificate)
    install(kube, server, trust)
    try:
        yield
    finally:
        for manifest in configurations(server, trust):
            kube.delete(Ref.of(manifest))
