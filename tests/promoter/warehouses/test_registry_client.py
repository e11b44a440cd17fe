"""Reading a real registry: tags, digests, times of making, platforms; logins; and what is said when it fails."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.warehouses.registries import (
    Image,
    ImageCache,
    Images,
    Platform,
    Refusal,
    RegistryFailure,
    Repository,
)
from gitops_e2e.promoter.warehouses.registries.connections import Connection
from gitops_e2e.promoter.warehouses.registries.pace import Pace
from tests.control_plane import free_port
from tests.promoter.warehouses.registry_server import (
    OCI_MANIFEST,
    PASSWORD,
    USER,
    Keys,
    RegistryServer,
    TokenService,
    index_of,
    password_settings,
)

pytestmark = pytest.mark.node

LOGIN = Login(USER, PASSWORD)
OLD, NEW = "2024-05-01T10:00:00.123456789Z", "2025-05-01T12:00:00+02:00"
OLD_TIME = datetime(2024, 5, 1, 10, 0, 0, 123456, UTC)
NAME = "registry.example.test"
"""The name that test certificates are for; it is no local one."""
NEW_TIME = datetime(2025, 5, 1, 10, 0, 0, tzinfo=UTC)


@contextmanager
def images(
    url: str,
    *,
    login: Login | None = None,
    platform: str = "",
    cache: ImageCache | None = None,
    verify_tls: bool = True,
) -> Iterator[Images]:
    with Connection(Repository.parse(url), login, verify_tls=verify_tls) as connection:
        chosen = Platform.parse(platform) if platform else None
        yield Images(connection, Pace(1000), cache or ImageCache(), chosen)


def get(registry: RegistryServer, repository: str, tag: str, *, platform: str = "") -> Image | None:
    with images(f"{registry.host}/{repository}", platform=platform) as found:
        return found.get(tag)


# --- tags


def test_all_tags_are_listed(registry: RegistryServer) -> None:
    for name in ("1.0.0", "latest", "v2"):
        registry.push("many", name)
    with images(f"{registry.host}/many") as found:
        assert sorted(found.tags()) == ["1.0.0", "latest", "v2"]


def test_links_are_followed_to_the_last_page() -> None:
    pages = {"/v2/many/tags/list?n=1000": ["a"], "/v2/many/tags/list?last=a": ["b"], "/v2/many/tags/list?last=b": None}
    following = {"/v2/many/tags/list?n=1000": "/v2/many/tags/list?last=a", "/v2/many/tags/list?last=a": "list?last=b"}

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/v2/":
            return 200, {}, b"{}"
        link = {"Link": f'<{following[path]}>; rel="next"'} if path in following else {}
        return 200, link, json.dumps({"name": "many", "tags": pages[path]}).encode()

    with server(answer) as host, images(f"{host}/many") as found:
        assert found.tags() == ["a", "b"]


# --- images


def test_an_image_is_known_by_digest_annotations_and_time(registry: RegistryServer) -> None:
    digest = registry.push("plain", "1.0.0", created=OLD, annotations={"a": "b"})
    assert get(registry, "plain", "1.0.0") == Image("1.0.0", digest, {"a": "b"}, OLD_TIME)


@pytest.mark.parametrize(
    ("image", "moment"),
    [
        ({}, None),
        ({"created": "0001-01-01T00:00:00Z"}, None),
        ({"created": "yesterday"}, None),
        ({"created": OLD}, OLD_TIME),
        ({"created": OLD, "labels": {"org.label-schema.build-date": NEW}}, NEW_TIME),
        ({"created": OLD, "labels": {"org.opencontainers.image.created": NEW}}, NEW_TIME),
        ({"created": OLD, "annotations": {"org.opencontainers.image.created": NEW}}, NEW_TIME),
        ({"created": NEW, "annotations": {"org.opencontainers.image.created": "soon"}}, NEW_TIME),
        (
            {
                "annotations": {"org.label-schema.build-date": OLD},
                "labels": {"org.opencontainers.image.created": NEW},
            },
            NEW_TIME,
        ),
    ],
)
def test_the_time_is_what_the_image_says_best(
    registry: RegistryServer, image: dict[str, object], moment: datetime | None
) -> None:
    registry.push("timed", "latest", **image)
    found = get(registry, "timed", "latest")
    assert found
    assert found.created_at == moment


def test_a_platform_must_be_met_exactly(registry: RegistryServer) -> None:
    registry.push("platforms", "amd64")
    registry.push("platforms", "arm", platform="linux/arm/v7")
    assert get(registry, "platforms", "amd64", platform="linux/amd64")
    assert get(registry, "platforms", "arm", platform="linux/arm/v7")
    for platform in ("linux/arm", "linux/arm/v6", "linux/arm64", "windows/arm/v7"):
        assert get(registry, "platforms", "arm", platform=platform) is None


def test_an_index_counts_as_one_image(registry: RegistryServer) -> None:
    old = registry.push("indexed", "amd64", created=OLD)
    new = registry.push("indexed", "arm64", created=NEW, platform="linux/arm64")
    attestation = registry.push("indexed", "attestation")
    entries = [(old, "linux/amd64"), (new, "linux/arm64"), (attestation, "unknown/unknown")]
    digest = registry.put("indexed", "1.0.0", index_of(entries, {"a": "b"}))
    assert get(registry, "indexed", "1.0.0") == Image("1.0.0", digest, {"a": "b"}, NEW_TIME)
    assert get(registry, "indexed", "1.0.0", platform="linux/amd64") == Image("1.0.0", digest, {"a": "b"}, OLD_TIME)
    assert get(registry, "indexed", "1.0.0", platform="linux/s390x") is None


def test_an_index_must_have_images_and_no_two_for_a_platform(registry: RegistryServer) -> None:
    one, two = registry.push("broken", "one", created=OLD), registry.push("broken", "two", created=NEW)
    registry.put("broken", "twice", index_of([(one, "linux/amd64"), (two, "linux/amd64")]))
    registry.put("broken", "empty", index_of([(one, "unknown/unknown")]))
    assert get(registry, "broken", "twice")
    with pytest.raises(RegistryFailure, match='one reference to match platform "linux/amd64", but found 2'):
        get(registry, "broken", "twice", platform="linux/amd64")
    with pytest.raises(RegistryFailure, match=r"^empty V2 manifest list or OCI index is not supported$"):
        get(registry, "broken", "empty")


def test_what_is_no_image_is_told() -> None:
    old = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    with (
        server(lambda _path: (200, {"Content-Type": old}, b"{}")) as host,
        images(f"{host}/old") as found,
        pytest.raises(RegistryFailure) as failure,
    ):
        found.get("1")
    assert failure.value.what == f"unknown artifact type: {old}"


def test_a_manifest_without_config_is_told() -> None:
    manifest = (200, {"Content-Type": OCI_MANIFEST}, b"{}")
    with (
        server(lambda _path: manifest) as host,
        images(f"{host}/bare") as found,
        pytest.raises(RegistryFailure, match="names no config"),
    ):
        found.get("1")


def test_what_was_read_is_remembered_by_digest(registry: RegistryServer) -> None:
    cache = ImageCache()
    first = registry.push("cached", "latest", created=OLD)
    with images(f"{registry.host}/cached", cache=cache) as found:
        image = found.get("latest")
        cache.put(first, None, Image("", first, {"from": "cache"}, None))
        again = found.get("latest")
        second = registry.push("cached", "latest", created=NEW)
        moved = found.get("latest")
    assert image == Image("latest", first, {}, OLD_TIME)
    assert again == Image("latest", first, {"from": "cache"}, None)
    assert moved == Image("latest", second, {}, NEW_TIME)


# --- logins


def test_a_password_opens_the_registry(tmp_path: Path) -> None:
    registry = RegistryServer(tmp_path, **password_settings(tmp_path))
    registry.start()
    try:
        with images(f"{registry.host}/none", login=LOGIN) as found, pytest.raises(Refusal, match="NAME_UNKNOWN"):
            found.tags()
        for wrong in (None, Login(USER, "wrong")):
            with images(f"{registry.host}/none", login=wrong) as found:
                with pytest.raises(
                    Refusal, match=r"^GET http://.*/v2/none/tags/list\?n=1000: UNAUTHORIZED: "
                ) as refused:
                    found.tags()
                assert refused.value.status == 401
    finally:
        registry.stop()


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_token_is_asked_for_and_renewed(tmp_path: Path, *, anonymous: bool) -> None:
    tokens = TokenService(Keys(tmp_path / "keys"), anonymous=anonymous)
    with tokens.serving():
        registry = RegistryServer(tmp_path / "registry", **tokens.settings())
        registry.start()
        try:
            login = None if anonymous else LOGIN
            with images(f"{registry.host}/a/b", login=login) as found, pytest.raises(Refusal, match="NAME_UNKNOWN"):
                found.tags()
            assert tokens.asked == [{"scope": ["repository:a/b:pull"], "service": ["test"]}]
            tokens.spoiled = 1
            with images(f"{registry.host}/a/b", login=LOGIN) as found, pytest.raises(Refusal, match="NAME_UNKNOWN"):
                found.tags()
            assert len(tokens.asked) == 3
            if not anonymous:
                with (
                    pytest.raises(Refusal, match=r"^GET http://.*/token\?.*: unexpected status code 401 Unauthorized$"),
                    images(f"{registry.host}/a/b") as found,
                ):
                    found.tags()
        finally:
            registry.stop()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates_are_checked_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(tmp_path / "keys")
    registry = RegistryServer(tmp_path / "registry", **keys.tls_settings())
    registry.start()
    try:
        digest = registry.push("secure", "1.0.0")
        monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
        url = f"{NAME}:{registry.host.rpartition(':')[2]}/secure"
        with pytest.raises(RegistryFailure) as failure, images(url) as found:
            found.tags()
        assert failure.value.what.startswith(f'Get "https://{url.partition("/")[0]}/v2/": tls: failed to verify cert')
        with images(url, verify_tls=False) as found:
            assert found.tags() == ["1.0.0"]
        monkeypatch.setenv("SSL_CERT_FILE", str(keys.certificate_file))
        with images(url) as found:
            image = found.get("1.0.0")
        assert image
        assert image.digest == digest
    finally:
        registry.stop()


# --- failures


def test_a_registry_that_is_away_is_told_for_both_schemes() -> None:
    host = f"127.0.0.1:{free_port()}"
    refused = f"dial tcp {host}: connect: connection refused"
    with pytest.raises(RegistryFailure) as failure, images(f"{host}/product-api") as found:
        found.tags()
    assert failure.value.what == f'Get "https://{host}/v2/": {refused}; Get "http://{host}/v2/": {refused}'


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RegistryFailure) as failure, images(f"{NAME}/product-api") as found:
        found.tags()
    assert failure.value.what == f'Get "https://{NAME}/v2/": dial tcp: lookup {NAME}: no such host'


def test_no_tls_where_it_must_be(registry: RegistryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    host = f"{NAME}:{registry.host.rpartition(':')[2]}"
    with pytest.raises(RegistryFailure) as failure, images(f"{host}/a") as found:
        found.tags()
    assert failure.value.what == f'Get "https://{host}/v2/": http: server gave HTTP response to HTTPS client'


def test_a_repository_that_is_not_there(registry: RegistryServer) -> None:
    with images(f"{registry.host}/nowhere") as found, pytest.raises(Refusal) as refused:
        found.tags()
    assert refused.value.what == (
        f"GET http://{registry.host}/v2/nowhere/tags/list?n=1000: "
        "NAME_UNKNOWN: repository name not known to registry; map[name:nowhere]"
    )
    assert refused.value.status == 404


def test_a_tag_that_is_not_there(registry: RegistryServer) -> None:
    registry.push("tagged", "1.0.0")
    with images(f"{registry.host}/tagged") as found, pytest.raises(Refusal) as refused:
        found.get("2.0.0")
    assert refused.value.what == (
        f"GET http://{registry.host}/v2/tagged/manifests/2.0.0: MANIFEST_UNKNOWN: manifest unknown; map[Tag:2.0.0]"
    )


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (404, b"", "unexpected status code 404 Not Found"),
        (503, b"busy", "unexpected status code 503 Service Unavailable: busy"),
        (400, b'{"errors": []}', 'unexpected status code 400 Bad Request: {"errors": []}'),
        (403, b'{"errors": [{"code": "DENIED", "message": "no"}]}', "DENIED: no"),
        (
            400,
            b'{"errors": [{"code": "A", "message": "a", "detail": [1, null, "x", true]}, {"code": "B"}]}',
            "multiple errors returned: A: a; [1 <nil> x true]; B: ",
        ),
    ],
)
def test_refusals_are_worded_as_the_registry_means_them(status: int, body: bytes, text: str) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, b"{}") if path == "/v2/" else (status, {}, body)

    with server(answer) as host, images(f"{host}/a") as found, pytest.raises(Refusal) as refused:
        found.get("1")
    assert refused.value.what == f"GET http://{host}/v2/a/manifests/1: {text}"


@pytest.mark.parametrize(
    ("challenge", "text"),
    [
        ("Negotiate", "unrecognized challenge: negotiate"),
        ("Bearer nonsense", "malformed www-authenticate: nonsense"),
        ('Bearer service="x"', "malformed www-authenticate, missing realm: {'service': 'x'}"),
    ],
)
def test_a_way_to_log_in_that_is_not_known(challenge: str, text: str) -> None:
    answer = (401, {"WWW-Authenticate": challenge}, b"")
    with (
        server(lambda _path: answer) as host,
        images(f"{host}/a") as found,
        pytest.raises(RegistryFailure) as failure,
    ):
        found.tags()
    assert failure.value.what == text


def test_a_ping_that_fails_ends_it() -> None:
    with server(lambda _path: (500, {}, b"")) as host, pytest.raises(Refusal) as refused, images(f"{host}/a") as found:
        found.tags()
    assert refused.value.what == f"GET http://{host}/v2/: unexpected status code 500 Internal Server Error"


def to_loopback(_host: str, *rest: Any, **named: Any) -> Any:
    """Every name leads to this machine."""
    return _getaddrinfo("127.0.0.1", *rest, **named)


_getaddrinfo = socket.getaddrinfo


@contextmanager
def server(answer: Callable[[str], tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """Something that answers like no registry should; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join(timeout=10)
