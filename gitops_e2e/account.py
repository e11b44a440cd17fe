"""The account by which one gets in where the platform asks for a password: private repositories of Git and images."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import bcrypt

from gitops_e2e.kube import AlreadyExists, Kube, Manifest, Ref

SECRET = Ref("v1", "Secret", "private-repositories", "gitops-e2e")
"""Where a stack keeps its account: for runs to come, and as the `htpasswd` file that its servers read."""

_USER = "robot"
_PASSWORD_BYTES = 16
_ROUNDS = 5  # the password is random: slow hashes protect those that people think of


@dataclass(frozen=True)
class Account:
    """A name and a password, which is shown nowhere."""

    username: str
    password: str = field(repr=False)

    @staticmethod
    def of(kube: Kube) -> Account:
        """The account of the stack on a cluster. Raises NotFound."""
        data = kube.get(SECRET)["data"]
        return Account(*(base64.b64decode(data[key]).decode() for key in ("username", "password")))

    def with_wrong_password(self) -> Account:
        """The same name, and a password that opens nothing."""
        return Account(self.username, f"not-{self.password}")

    @property
    def basic(self) -> str:
        """Both, as HTTP's Basic scheme and Docker's logins have them."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def git_environment(self, url: str = "") -> Mapping[str, str]:
        """What makes git log in over HTTP, by its environment: no command line and no file has the password.

        Git logs in to any server that it asks, or below that URL alone.
        """
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader" if url else "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {self.basic}",
        }

    def htpasswd(self) -> str:
        """The file by which servers know it; bcrypt is the one form that all of ours read."""
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
        return f"{self.username}:{hashed}\n"

    def secret(self) -> Manifest:
        """The Secret of the servers that ask for the password."""
        return {
            "apiVersion": SECRET.api_version,
            "kind": SECRET.kind,
            "type": "kubernetes.io/basic-auth",
            "metadata": {"name": SECRET.name, "namespace": SECRET.namespace},
            "stringData": {
                "username": self.username,
                "password": self.password,
                "htpasswd": self.htpasswd(),
            },
        }


def provide(kube: Kube) -> None:
    """Make the stack's account, unless it has one. Raises KubeError: its namespace must be there."""
    if kube.find(SECRET) is None:
        try:
            kube.create(Account(_USER, secrets.token_urlsafe(_PASSWORD_BYTES)).secret())
        except AlreadyExists:
            pass  # another of its servers was faster
