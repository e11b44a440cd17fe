"""The Git server: bare repositories over HTTP and HTTPS, certificate by cert-manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gitops_e2e.components import cert_manager
from gitops_e2e.components.packaged import Packaged
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Resource

HOST = "git.gitops-e2e.svc.cluster.local"
NODE_PORT = 30080
_PODS = Resource("v1", "Pod", "pods", namespaced=True)


class GitServer(Packaged):
    """lighttpd and `git http-backend`."""

    name: ClassVar[str] = "Git server"
    namespace: ClassVar[str] = "gitops-e2e"
    image: ClassVar[str] = "git-server"
    needs: ClassVar[tuple[str, ...]] = ("cert-manager",)

    def manifests(self) -> list[Manifest]:
        """The issuer, the certificate it issues for the server's HTTPS port, and the server."""
        issuer: Manifest = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "ClusterIssuer",
            "metadata": {"name": cert_manager.ISSUER},
            "spec": {"ca": {"secretName": cert_manager.CA}},
        }
        return [issuer, *super().manifests()]


@dataclass(frozen=True)
class Repositories:
    """The bare repositories on the server, and where this machine pushes to."""

    kube: Kube
    address: str

    def create(self, name: str) -> None:
        """Make the bare repository `<name>.git`, open for pushes; one that is there already is emptied."""
        folder = f"/srv/git/{name}.git"
        script = (
            f"rm -rf {folder} && git init -q --bare -b main {folder} && git -C {folder} config http.receivepack true"
        )
        self._shell(script)

    def delete(self, name: str) -> None:
        """Remove the repository; absent is fine."""
        self._shell(f"rm -rf /srv/git/{name}.git")

    def push_url(self, name: str) -> str:
        """The URL at which this machine clones and pushes."""
        return f"http://{self.address}:{NODE_PORT}/{name}.git"

    def _shell(self, script: str) -> None:
        pods = self.kube.list(_PODS, GitServer.namespace, "app=git-server")
        running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
        if not running:
            raise HarnessError("the Git server has no running pod", where=f"namespace {GitServer.namespace}")
        self.kube.execute(GitServer.namespace, running[0]["metadata"]["name"], "git-server", ["sh", "-ec", script])
