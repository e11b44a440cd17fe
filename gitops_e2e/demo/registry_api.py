"""Whether a login opens an image repository, by the registry's own API (OCI distribution, `/v2/`)."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from gitops_e2e.account import Account
from gitops_e2e.demo.errors import LoginRefused, NotThere

_BOUNDS = (5.0, 10.0)  # until connected, between two pieces of the answer
_MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
_REFUSED = (requests.codes.unauthorized, requests.codes.forbidden)


@dataclass(frozen=True)
class RegistryApi:
    """A registry at a URL, asked with a login."""

    url: str
    account: Account

    def require(self, path: str, tag: str) -> None:
        """Raises LoginRefused or NotThere, unless the login opens the registry, and that repository has the tag."""
        where = f"{self.url}/v2/"
        answer = self._get(where)
        if answer.status_code in _REFUSED:
            raise LoginRefused(
                f"the registry does not let {self.account.username} in: {_said(answer)}",
                where=where,
                remedy="see that the password or token is right and has not expired",
            )
        if not answer.ok:
            raise NotThere(f"this is no image registry: {_said(answer)}", where=where)
        where = f"{self.url}/v2/{path}/manifests/{tag}"
        answer = self._get(where)
        if answer.status_code in _REFUSED:
            raise LoginRefused(
                f"{self.account.username} may not pull from {path}: {_said(answer)}",
                where=where,
                remedy="allow it to pull (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer)",
            )
        if not answer.ok:
            raise NotThere(
                f"the registry has no image {path}:{tag}: {_said(answer)}",
                where=where,
                remedy=f"push it; product-api/ has the Dockerfile, and every stage begins with {tag}",
            )

    def _get(self, url: str) -> requests.Response:
        login = (self.account.username, self.account.password)
        try:
            return requests.get(url, auth=login, headers={"Accept": _MANIFESTS}, timeout=_BOUNDS, allow_redirects=False)
        except requests.RequestException as error:
            raise NotThere(
                f"the registry does not answer: {error}",
                where=url,
                remedy="see that the address is right and that this machine reaches it",
            ) from error


def _said(answer: requests.Response) -> str:
    """The status, and the registry's own words where it has any."""
    try:
        errors = answer.json()["errors"]
        words = "; ".join(f"{each['code']}: {each.get('message', '')}" for each in errors)
    except (ValueError, LookupError, TypeError):
        words = answer.reason
    return f"{answer.status_code} {words}"
