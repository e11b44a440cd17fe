"""Registries on loopback that images are pushed to, and what may be said of one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gitops_e2e.account import Account
from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed
from gitops_e2e.images import Images
from gitops_e2e.images.remote import RegistryRefused, RemoteRegistry
from gitops_e2e.toolchain import Toolchain
from tests.local_registry import running_registry

MANIFEST = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
ROBOT = Account("robot", "open:sesame")


def login(folder: Path, host: str, account: Account = ROBOT) -> Path:
    file = folder / "logins.json"
    file.write_text(json.dumps({"auths": {host: {"auth": account.basic}}}))
    return file


@pytest.mark.parametrize(
    ("url", "place", "plain"),
    [
        ("registry.example.com", "registry.example.com", False),
        ("https://registry.example.com/", "registry.example.com", False),
        ("http://10.0.0.7:5000/team/images", "10.0.0.7:5000/team/images", True),
    ],
)
def test_a_url_says_where_references_begin(url: str, place: str, plain: bool) -> None:
    assert RemoteRegistry.of(url) == RemoteRegistry(place, plain)


@pytest.mark.parametrize(
    "url", ["", "ftp://example.com", "https://me:secret@example.com", "example.com/Team", "example.com/a:1", "a b"]
)
def test_what_is_no_url_of_a_registry_is_refused(url: str) -> None:
    with pytest.raises(RegistryRefused, match=r"is no URL of a registry(.|\n)*--registry-login FILE"):
        RemoteRegistry.of(url)


def test_a_login_is_found_by_the_host(tmp_path: Path) -> None:
    registry = RemoteRegistry.of("https://example.com:5000/team", login(tmp_path, "example.com:5000"))
    assert registry.account() == ROBOT
    assert RemoteRegistry.of("example.com").account() is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "this file of logins cannot be read"),
        ("[]", "there is no login for example.com"),
        (json.dumps({"auths": {"other.example.com": {"auth": ROBOT.basic}}}), "there is no login for example.com"),
        (json.dumps({"auths": {"example.com": {}}, "credsStore": "desktop"}), "without a credential store"),
        (json.dumps({"auths": {"example.com": {"auth": "robot"}}}), "is not `name:password` in Base64"),
    ],
)
def test_a_file_that_opens_nothing_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "logins.json"
    file.write_text(text)
    with pytest.raises(RegistryRefused, match=words) as refused:
        RemoteRegistry.of("example.com", file)
    assert f"where: {file}" in str(refused.value)


def test_images_are_called_by_their_own_names_in_a_registry_outside(tmp_path: Path) -> None:
    outside = RemoteRegistry("example.com/team")
    cache = Cache(tmp_path)
    assert Images(cache, Toolchain(cache), outside=outside).reference("argocd").startswith("example.com/team/argocd:v")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with running_registry(tmp_path / "registry") as address:
        yield address


@pytest.mark.node
def test_a_pushed_image_has_the_digest_of_its_archive(
    images: Images, registry: str, manifest_in: Callable[[Path], dict[str, Any]]
) -> None:
    archive = images.archive("greeting:1.0")
    remote = RemoteRegistry(registry, plain=True)
    remote.push(archive, "demo/greeting:1.0")
    answer = requests.get(f"http://{registry}/v2/demo/greeting/manifests/1.0", headers=MANIFEST, timeout=5)
    assert answer.headers["Docker-Content-Digest"] == manifest_in(archive)["digest"]
    assert remote.tags("demo/greeting") == ["1.0"]


@pytest.mark.node
def test_plain_http_is_refused_unless_it_is_allowed(images: Images, registry: str) -> None:
    with pytest.raises(CommandFailed, match="server gave HTTP response to HTTPS client"):
        RemoteRegistry(registry).push(images.archive("greeting:1.0"), "demo/greeting:1.0")


@pytest.mark.node
def test_a_login_opens_a_registry_that_asks_for_one(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_registry(tmp_path / "private", tls=True, account=ROBOT) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "private/ca.crt"))
        archive = images.archive("greeting:1.0")
        opened = RemoteRegistry.of(host, login(tmp_path, host))
        opened.push(archive, "team/greeting:1.0")
        assert opened.tags("team/greeting") == ["1.0"]
        wrong = RemoteRegistry.of(host, login(tmp_path, host, ROBOT.with_wrong_password()))
        with pytest.raises(CommandFailed, match=r"401|nauthorized"):
            wrong.push(archive, "team/greeting:1.0")
