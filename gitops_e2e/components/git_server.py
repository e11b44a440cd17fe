"""The Git server: bare repositories over HTTP and HTTPS, certificate by cert-manager.

Those below `private/` are there for who has the stack's account, all others for anyone.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gitops_e2e import account
from gitops_e2e.account import Account
from gitops_e2e.commands import CommandFailed
from gitops_e2e.components import authority, cert_manager
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.certificate import await_issued
from gitops_e2e.components.packaged import Packaged
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref, running_pod
from gitops_e2e.pipeline.git import Git

HOST = "git.gitops-e2e.svc.cluster.local"
NODE_PORT = 30080
SECURE_NODE_PORT = 30443
CERTIFICATE = Ref("cert-manager.io/v1", "Certificate", "git-server", "gitops-e2e")
_CERTIFICATE = {"Namespace", "ClusterIssuer", "Certificate"}
_TLS = Ref("v1", "Secret", "git-server-tls", "gitops-e2e")
_DISTRUST = ("certificate verification failed", "SSL certificate problem:")
"""What Git says of a certificate that it has looked at: with GnuTLS, as Debian's, and with OpenSSL."""


class NotTrusted(HarnessError):
    """A Git client does not trust the server's certificate."""


def is_distrust(said: str) -> bool:
    """Whether Git, by its words, refused a certificate, and not something else about one."""
    return any(words in said for words in _DISTRUST)


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
            "spec": {"ca": {"secretName": authority.SECRET.name}},
        }
        return [issuer, *super().manifests()]

    def install(self, kube: Kube, *, within: float) -> None:
        """Install the certificate, wait until it is issued, then install the rest. Raises NotIssued."""
        first = [manifest for manifest in self.manifests() if manifest["kind"] in _CERTIFICATE]
        apply_all(kube, first, within=within)
        account.provide(kube)
        await_issued(kube, _TLS, within=within)
        apply_all(kube, self.manifests(), within=within)


@dataclass(frozen=True)
class Repositories:
    """The bare repositories on the server, and where this machine pushes to."""

    kube: Kube
    address: str
    account: Account

    @property
    def access(self) -> Mapping[str, str]:
        """The environment in which this machine's git gets into all of them."""
        return self.account.git_environment()

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

    def hook(self, name: str, event: str, script: str) -> None:
        """Run a shell script in the repository at that event: git's own `pre-receive`, say, or the server's
        `before-push`, before whoever pushes is told where the branches are.
        """
        path = f"/srv/git/{name}.git/hooks/{event}"
        self._shell(f"printf %s {shlex.quote(script)} > {path}.new && chmod 755 {path}.new && mv {path}.new {path}")

    def unhook(self, name: str) -> None:
        """Run none any more; without one is fine."""
        self._shell(f"rm -f /srv/git/{name}.git/hooks/*")

    def push_url(self, name: str) -> str:
        """The URL at which this machine clones and pushes."""
        return f"http://{self.address}:{NODE_PORT}/{name}.git"

    def read_securely(self, name: str, trusted: Path) -> str:
        """The repository's branches as a Git client gets them over HTTPS, by the name that is in the certificate.

        `trusted` is a PEM file with the authorities that the client trusts. Raises NotTrusted where the certificate is
        of none of them, and CommandFailed for any other reason: a file that is not there, no answer.
        """
        url = f"https://{HOST}:{SECURE_NODE_PORT}/{name}.git"
        trust = {
            "GIT_SSL_CAINFO": str(trusted),
            "SSL_CERT_DIR": "/nonexistent",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.curloptResolve",
            "GIT_CONFIG_VALUE_0": f"{HOST}:{SECURE_NODE_PORT}:{self.address}",
        }
        try:
            return Git.list_remote(url, trust)
        except CommandFailed as refusal:
            if is_distrust(refusal.output):
                raise NotTrusted(
                    refusal.what, where=url, remedy=f"let the client trust the authority of {HOST}"
                ) from None
            raise

    def _shell(self, script: str) -> None:
        pod = running_pod(self.kube, GitServer.namespace, {"app": "git-server"}, of="the Git server")
        self.kube.execute(GitServer.namespace, pod["metadata"]["name"], "git-server", ["sh", "-ec", script])
