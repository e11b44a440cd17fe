"""One repository of a registry, read over HTTP: ping, login, tags, manifests, blobs."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode, urljoin
from urllib.request import parse_http_list, parse_keqv_list

import requests
from requests.auth import AuthBase
from requests.utils import parse_header_links

from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.warehouses.registries.failures import Refusal, RegistryFailure, unreachable
from gitops_e2e.promoter.warehouses.registries.repositories import Repository

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

_ACCEPTED = ",".join((DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX))
_CONNECT_SECONDS, _READ_SECONDS, _ANSWER_SECONDS = 5.0, 30.0, 120.0
_LARGEST_BODY = 100 * 1024 * 1024
_CHUNK = 64 * 1024
_PAGE = 1000
_MOST_PAGES = 1000


@dataclass(frozen=True)
class Document:
    """A manifest or index: its media type, the digest of its bytes, and what is in it."""

    media_type: str
    digest: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class _Answer:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """The way to one repository, for reading, opened by the first request. Safe to share between threads.

    Used as a context, which closes it. Every method raises RegistryFailure; a Refusal where the registry said no.
    """

    def __init__(self, repository: Repository, login: Login | None, *, verify_tls: bool = True) -> None:
        self._repository = repository
        self._login = login
        self._session = requests.Session()
        self._verify = _trusted_certificates() if verify_tls else False
        self._authorization = _Authorization("")
        self._realm: Mapping[str, str] = {}
        self._opening = threading.Lock()
        self._root = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def tags(self) -> list[str]:
        """All tags of the repository, in the registry's order."""
        url = f"{self._place()}/tags/list?{urlencode({'n': _PAGE})}"
        tags: list[str] = []
        for _ in range(_MOST_PAGES):
            answer = self._get(url)
            tags += _json(answer).get("tags") or []
            link = _next_link(answer)
            if not link:
                return tags
            url = urljoin(answer.url, link)
        raise RegistryFailure(f"GET {url}: the list of tags has no end")

    def manifest(self, reference: str) -> Document:
        """The manifest or index under a tag or digest."""
        answer = self._get(f"{self._place()}/manifests/{reference}", accept=_ACCEPTED)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return Document(media_type, f"sha256:{hashlib.sha256(answer.body).hexdigest()}", _json(answer))

    def config(self, manifest: Document) -> Mapping[str, Any]:
        """The config of the image that a manifest describes."""
        digest = (manifest.content.get("config") or {}).get("digest")
        if not digest:
            raise RegistryFailure(f"the manifest {manifest.digest} names no config")
        return _json(self._get(f"{self._place()}/blobs/{digest}"))

    # --- opening

    def _place(self) -> str:
        with self._opening:
            self._root = self._root or self._open()
            return self._root

    def _open(self) -> str:
        """Find the scheme the registry speaks and the way to log in; the repository's root."""
        failures: list[str] = []
        for scheme in self._repository.schemes:
            ping = f"{scheme}://{self._repository.host}/v2/"
            try:
                answer = self._send(ping, _Authorization(""))
            except RegistryFailure as failure:
                failures.append(failure.what)
                continue
            self._log_in(answer)
            return f"{ping}{self._repository.path}"
        raise RegistryFailure("; ".join(failures))

    def _log_in(self, ping: _Answer) -> None:
        if ping.status not in {200, 401}:
            raise Refusal(ping.url, ping.status, ping.body)
        kind, _, parameters = ping.headers.get("WWW-Authenticate", "").partition(" ")
        match kind.lower() if ping.status == 401 else "basic":
            case "basic":
                self._authorization = _basic(self._login)
            case "bearer":
                self._realm = _parameters(parameters)
                self._authorization = self._token()
            case unknown:
                raise RegistryFailure(f"unrecognized challenge: {unknown}")

    def _token(self) -> _Authorization:
        realm = self._realm.get("realm")
        if not realm:
            raise RegistryFailure(f"malformed www-authenticate, missing realm: {self._realm}")
        scope = f"repository:{self._repository.path}:pull"
        query = urlencode({"scope": scope, "service": self._realm.get("service", "")})
        answer = self._send(f"{realm}{'&' if '?' in realm else '?'}{query}", _basic(self._login))
        if answer.status != 200:
            raise Refusal(answer.url, answer.status, answer.body)
        content = _json(answer)
        token = content.get("access_token") or content.get("token")
        if not token:
            raise RegistryFailure("no token in bearer response")
        return _Authorization(f"Bearer {token}")

    # --- requests

    def _get(self, url: str, accept: str = "") -> _Answer:
        authorization = self._authorization
        answer = self._send(url, authorization, accept)
        if answer.status == 401 and self._realm:
            self._renew(authorization)
            answer = self._send(url, self._authorization, accept)
        if answer.status != 200:
            raise Refusal(answer.url, answer.status, answer.body)
        return answer

    def _renew(self, expired: _Authorization) -> None:
        with self._opening:
            if self._authorization is expired:  # else another thread was faster
                self._authorization = self._token()

    def _send(self, url: str, authorization: _Authorization, accept: str = "") -> _Answer:
        deadline = time.monotonic() + _ANSWER_SECONDS
        try:
            response = self._session.get(
                url,
                headers={"Accept": accept} if accept else {},
                auth=authorization,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                verify=self._verify,  # here, as the session's own setting loses against the environment
                stream=True,
            )
            with response:
                body = b"".join(_bounded(url, response.iter_content(_CHUNK), deadline))
                return _Answer(response.url, response.status_code, response.headers, body)
        except requests.RequestException as error:
            raise unreachable(url, error) from error


def _trusted_certificates() -> str | bool:
    """The machine's certificates, or those that SSL_CERT_FILE names, as with Go; not those that requests ships."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


class _Authorization(AuthBase):
    """Sets the header itself, so that requests does not look into ~/.netrc for one."""

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            request.headers["Authorization"] = self._header
        return request


def _parameters(text: str) -> Mapping[str, str]:
    try:
        return parse_keqv_list(parse_http_list(text))
    except ValueError as error:
        raise RegistryFailure(f"malformed www-authenticate: {text}") from error


def _basic(login: Login | None) -> _Authorization:
    if login is None or not login.username:
        return _Authorization("")
    encoded = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    return _Authorization(f"Basic {encoded}")


def _bounded(url: str, chunks: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _LARGEST_BODY:
            raise RegistryFailure(f"GET {url}: the answer is larger than {_LARGEST_BODY} bytes")
        if time.monotonic() > deadline:
            raise RegistryFailure(f"GET {url}: no end of the answer within {_ANSWER_SECONDS:.0f} s")
        yield chunk


def _json(answer: _Answer) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.body)
    except ValueError as error:
        raise RegistryFailure(f"GET {answer.url}: the answer is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise RegistryFailure(f"GET {answer.url}: the answer is no JSON object")
    return content


def _next_link(answer: _Answer) -> str:
    links = parse_header_links(answer.headers.get("Link", ""))
    return next((str(link["url"]) for link in links if link.get("rel") == "next"), "")
