"""A registry that images are pushed to, by Debian's skopeo: one in the cluster, or one that somebody else keeps."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.account import Account
from gitops_e2e.commands import run
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.needs import PUSHING

_PUSH_BOUND = 300.0
_DELETE_BOUND = 60.0
_LIST_BOUND = 10.0
_URL = re.compile(r"(?:(?P<scheme>https?)://)?(?P<place>[a-z0-9.-]+(?::\d+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)/?")


class RegistryRefused(HarnessError):
    """What was said of a registry makes no sense, or does not open it."""


@dataclass(frozen=True)
class RemoteRegistry:
    """Where images are pushed, as this machine reaches it.

    `place` is what references begin with, host and port and perhaps a path: "registry.example.com/team". `plain` allows
    HTTP, and certificates that nobody vouches for. `logins` is a file as `docker login` writes it.
    """

    place: str
    plain: bool = False
    logins: Path | None = None

    @staticmethod
    def of(url: str, logins: Path | None = None) -> RemoteRegistry:
        """The registry at a URL, `https` where it names no scheme. Raises RegistryRefused."""
        found = _URL.fullmatch(url)
        if not found:
            raise RegistryRefused(
                f"{url!r} is no URL of a registry",
                remedy="give [http[s]://]host[:port][/path] in small letters; a login goes into --registry-login FILE",
            )
        registry = RemoteRegistry(found["place"], found["scheme"] == "http", logins)
        if logins:
            registry.account()
        return registry

    @property
    def url(self) -> str:
        """What `of` makes this registry from."""
        return f"{'http' if self.plain else 'https'}://{self.place}"

    @property
    def host(self) -> str:
        """Host and port alone."""
        return self.place.partition("/")[0]

    def account(self) -> Account | None:
        """Who logs in there; None where nobody has to. Raises RegistryRefused where the file does not say."""
        if not self.logins:
            return None
        entry = _entries(self.logins).get(self.host)
        if not isinstance(entry, dict) or not entry.get("auth"):
            raise RegistryRefused(
                f"there is no login for {self.host}",
                where=str(self.logins),
                remedy="let `docker login` write one, without a credential store (credsStore), or take another file",
            )
        return Account(*_decoded(str(entry["auth"]), self.logins))

    def push(self, archive: Path, image: str) -> None:
        """Copy the image of an OCI archive there, with the digests it has.

        `image` is repository and tag: "kargo-demo/product-api:1.0.0".
        Raises PackagesMissing where skopeo cannot be installed, and CommandFailed.
        """
        PUSHING.meet(archive.parent, purpose=f"pushing {self.place}/{image}")
        self._skopeo(
            *("copy", "--quiet", "--preserve-digests", f"oci-archive:{archive}", f"docker://{self.place}/{image}"),
            verify="--dest-tls-verify",
            bound=_PUSH_BOUND,
        )

    def delete(self, image: str) -> None:
        """Take an image out of the registry, with every tag that it has there.

        Raises CommandFailed where the registry has none, or does not let go of it.
        """
        self._skopeo("delete", f"docker://{self.place}/{image}", bound=_DELETE_BOUND)

    def tags(self, repository: str) -> list[str]:
        """The tags in a repository. Raises CommandFailed where there is none."""
        return list(
            json.loads(self._skopeo("list-tags", f"docker://{self.place}/{repository}", bound=_LIST_BOUND))["Tags"]
        )

    def _skopeo(self, *words: str, verify: str = "--tls-verify", bound: float) -> str:
        login = [f"--authfile={self.logins}"] if self.logins else []
        command = ["skopeo", "--insecure-policy", *words, f"{verify}={str(not self.plain).lower()}", *login]
        return run(command, timeout=bound).stdout


def _entries(logins: Path) -> dict[str, Any]:
    try:
        found = json.loads(logins.read_text())
    except (OSError, ValueError) as error:
        raise RegistryRefused(f"this file of logins cannot be read: {error}", where=str(logins)) from error
    entries = found.get("auths") if isinstance(found, dict) else None
    return entries if isinstance(entries, dict) else {}


def _decoded(auth: str, logins: Path) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise RegistryRefused("this login is not `name:password` in Base64", where=str(logins))
    return username, password
