"""Logins for repositories, looked up in labelled Secrets (behaviour file, 10)."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Resource
from gitops_e2e.promoter.api.kinds import LABEL_CREDENTIAL_TYPE
from gitops_e2e.promoter.credentials.matching import fits

_logger = logging.getLogger(__name__)

RepositoryType = Literal["git", "image", "helm"]
"""What is in a repository; as in the label of the Secrets."""

_SECRETS = Resource("v1", "Secret", "secrets", namespaced=True)
_OTHER_PROVIDERS = {
    "awsAccessKeyID": "Amazon ECR",
    "gcpServiceAccountKey": "Google Artifact Registry",
    "githubAppClientID": "GitHub Apps",
    "githubAppID": "GitHub Apps",
}


class BadCredentials(HarnessError):
    """A Secret cannot be used as what its label says it is."""


@dataclass(frozen=True)
class Login:
    """What lets the engine in: user name and password, or a private key in OpenSSH's form."""

    username: str = ""
    password: str = field(default="", repr=False)
    ssh_private_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Logins:
    """The logins for repositories of one type.

    A project's own Secrets come first, then those of `global_namespaces`. Over `http://` a login would be
    there for everyone to read, so none is given unless `over_http`.
    """

    kube: Kube
    type: RepositoryType
    global_namespaces: Sequence[str] = ()
    over_http: bool = False

    def find(self, project: str, repo_url: str) -> Login | None:
        """The login of a project for a repository, or None for "without".

        Raises BadCredentials, KubeError.
        """
        if repo_url.strip().lower().startswith("http://") and not self.over_http:
            _logger.warning("no login is given to %s: it is not encrypted", repo_url)
            return None
        for namespace in (project, *sorted(self.global_namespaces)):
            for secret in self._secrets(namespace):
                data = _decoded(secret)
                if fits(self.type, data, repo_url, where=_named(secret)):
                    return _login(data, where=_named(secret))
        return None

    def _secrets(self, namespace: str) -> Iterator[Manifest]:
        found = self.kube.list(_SECRETS, namespace, labels=f"{LABEL_CREDENTIAL_TYPE}={self.type}")
        yield from sorted(found, key=lambda secret: str(secret["metadata"]["name"]))


def _login(data: Mapping[str, str], *, where: str) -> Login | None:
    key = data.get("sshPrivateKey", "")
    username, password = data.get("username", ""), data.get("password", "")
    if username and password:
        return Login(username, password, key)
    if key:
        return Login(ssh_private_key=key)
    if provider := next((_OTHER_PROVIDERS[name] for name in data if name in _OTHER_PROVIDERS), None):
        raise BadCredentials(f"not supported by the embedded engine: credentials for {provider}", where=where)
    return None


def _decoded(secret: Manifest) -> dict[str, str]:
    try:
        return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadCredentials(f"the Secret holds something else than text: {error}", where=_named(secret)) from error


def _named(secret: Manifest) -> str:
    return f"Secret {secret['metadata']['namespace']}/{secret['metadata']['name']}"
