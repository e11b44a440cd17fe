"""Secrets in every form and place, known and unknown; and what is no secret."""

from __future__ import annotations

import base64
import bz2
import dataclasses
import gzip
import html
import json
import lzma
import urllib.parse
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.evidence.encodings import forms
from gitops_e2e.evidence.knowledge import of_kubeconfig, of_secret
from gitops_e2e.evidence.patterns import MARK
from gitops_e2e.evidence.redaction import COMPRESSED, Redactor
from tests.evidence.searching import found_in

REPOSITORY = Path(__file__).parents[2]
KNOWN = ["hunter2-Tr0ub4dor", "p&w\"or<d>'s/ü+=?% \\x", "short", "0123456789abcdef0123456789abcdef"]


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON of Go": lambda text: json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    "HTML": html.escape,
    "URL": lambda text: urllib.parse.quote(text, safe=""),
    "URL path": urllib.parse.quote,
    "form": urllib.parse.quote_plus,
    "URL twice": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "Python": repr,
    "YAML": lambda text: yaml.safe_dump({"a": text}),
    "YAML, quoted": lambda text: yaml.safe_dump({"a": text}, default_style="'"),
    "base64": b64,
    "base64 at offset 1": lambda text: b64(f"a{text}bc"),
    "base64 at offset 2": lambda text: b64(f"ab{text}c"),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"\xff{text}\xff".encode()).decode(),
    "base64 twice": lambda text: b64(b64(f"user:{text}")),
    "base64 thrice": lambda text: b64(b64(b64(f"user:{text}"))),
    "base64 in a URL": lambda text: urllib.parse.quote(b64(f"u:{text}"), safe=""),
    "base64 in lines": lambda text: base64.encodebytes(f"{'x' * 50}{text}{'y' * 60}".encode()).decode(),
    "base64 in escaped lines": lambda t: json.dumps(base64.encodebytes(f"{'x' * 50}{t}{'y' * 60}".encode()).decode()),
    "JSON in base64": lambda text: b64(json.dumps({"auth": text})),
    "hexadecimal": lambda text: text.encode().hex(),
    "gzip in base64": lambda text: b64(gzip.compress(text.encode())),
    "zlib in base64": lambda text: b64(zlib.compress(f"some text with {text} in it".encode())),
    "bzip2 in base64": lambda text: b64(bz2.compress(text.encode())),
    "xz in base64": lambda text: b64(lzma.compress(text.encode())),
    "as Helm has it": lambda text: b64(b64(gzip.compress(text.encode()))),
    "gzip after something else": lambda text: b64(b"x" + gzip.compress(text.encode())),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", KNOWN)
def test_a_known_secret_is_found_in_every_form(secret: str, encoding: str) -> None:
    text = f"before {ENCODINGS[encoding](secret)} after"
    assert found_in(text.encode(), [secret]), "the search itself must see it"

    redacted = Redactor([secret])(text)

    assert not found_in(redacted.encode(), [secret])
    assert "[redacted" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_search_finds_nothing_where_nothing_is(encoding: str) -> None:
    assert not found_in(ENCODINGS[encoding]("something else, and quite long").encode(), KNOWN)


UNKNOWN = {
    "bearer": "Authorization: Bearer s3cr3t.Of-The_Day~1",
    "basic": "> authorization: Basic dXNlcjpzM2NyM3QuT2YtVGhl",
    "header in JSON": '{"Authorization": "Bearer s3cr3t.Of-The_Day~1"}',
    "header in Go": "map[Authorization:[Bearer s3cr3t.Of-The_Day~1]]",
    "header in Python": "{'Authorization': 'token s3cr3t.Of-The_Day~1'}",
    "header of AWS": "Authorization: AWS4-HMAC-SHA256 Credential=s3cr3t/a, SignedHeaders=host, Signature=s3cr3t",
    "cookie": "Cookie: session=s3cr3t; b=s3cr3t",
    "URL": "fatal: cannot reach https://git:s3cr3t@example.com/a.git",
    "URL with odd password": "https://git:p@s3cr3t:x@example.com/a.git",
    "URL with a token": "https://s3cr3ts3cr3ts3cr3t@example.com/a.git",
    "URL in JSON of PHP": r"https:\/\/git:s3cr3t@example.com\/a.git",
    "URL in a URL": "?url=https%3A%2F%2Fgit%3As3cr3t%40example.com%2Fa.git",
    "signed request": "https://bucket.example.com/a?X-Amz-Signature=s3cr3t&X-Amz-Date=1",
    "token in a query": "GET /hook?access_token=s3cr3t HTTP/1.1",
    "kubeconfig": "users:\n- name: a\n  user:\n    client-key-data: czNjcjN0\n    token: s3cr3t\n",
    "kubeconfig in JSON": '{"user":{"client-key-data":"czNjcjN0","token":"s3cr3t"}}',
    "kubeconfig in JSON in JSON": '{\\"user\\":{\\"client-key-data\\":\\"czNjcjN0\\",\\"token\\":\\"s3cr3t\\"}}',
    "HTML": "&quot;password&quot;: &quot;s3cr3t&quot;",
    "access key": "AWS_ACCESS_KEY_ID=AKIAs3cr3t AWS_SECRET_ACCESS_KEY=s3cr3t/abc+def",
    "command": "mysql --password s3cr3t --host a; curl -u me:s3cr3t https://a; x --client-secret=s3cr3t",
    "logfmt": 'level=info msg="logged in" password=s3cr3t user=me',
    "YAML phrase": "  password: s3cr3t and s3cr3t again",
    "YAML block": "  password: |\n    first s3cr3t\n    second s3cr3t\nnext: line",
    "variable of a pod": "- name: DB_PASSWORD\n  value: s3cr3t",
    "variable of a pod in JSON": '{"name":"API_TOKEN","value":"s3cr3t"}',
    "variable of a pod in a diff": "+        - name: DB_PASSWORD\n+          value: s3cr3t",
    "Secret": "apiVersion: v1\nkind: Secret\ndata:\n  any: s3cr3t\n  more: |\n    s3cr3t\nmetadata:\n  name: a",
    "Secret in a diff": "+kind: Secret\n+stringData:\n+  any: s3cr3t\n+metadata:\n+  name: a",
    "Secret in JSON": '{"kind":"Secret","data":{"any":"s3cr3t"},"metadata":{"name":"a"}}',
    "private key": "-----BEGIN EC PRIVATE KEY-----\ns3cr3t\n-----END EC PRIVATE KEY-----",
    "private key in JSON": r'"-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n"',
    "private key cut off": "-----BEGIN RSA PRIVATE KEY-----\ns3cr3ts3cr3ts3cr3t\ns3cr3ts3cr3ts3cr3t=\n",
    "in base64": b64("https://git:s3cr3t@example.com/a.git and more"),
    "a key in base64": b64("-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----"),
}


@pytest.mark.parametrize("place", UNKNOWN)
def test_what_stands_where_secrets_do_is_taken_away(place: str) -> None:
    redacted = Redactor()(UNKNOWN[place])

    assert not found_in(redacted.encode(), ["s3cr3t", "czNjcjN0"]), redacted
    assert MARK in redacted


@pytest.mark.parametrize(
    "token",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "glpat-" + "a1B2" * 5,
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl",
    ],
)
def test_tokens_are_known_by_their_beginning(token: str) -> None:
    assert Redactor()(f"got {token}.") in {f"got {MARK}.", f"got {MARK}"}


@pytest.mark.parametrize("name", ["kargo", "manifests", "features", "steps"])
def test_what_the_repository_says_is_no_secret(name: str) -> None:
    redactor = Redactor()
    for file in (
        path for path in (REPOSITORY / name).rglob("*") if path.suffix in {".yaml", ".yml", ".feature", ".py"}
    ):
        assert redactor(file.read_text()) == file.read_text(), file


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "tests").glob("*/recordings/**/*.jsonl")), ids=lambda file: file.name
)
def test_what_controllers_report_is_no_secret(file: Path) -> None:
    redactor = Redactor()
    for line in file.read_text().splitlines():
        assert redactor(line) == line


def test_it_changes_nothing_twice() -> None:
    redactor = Redactor(KNOWN)
    for text in [*UNKNOWN.values(), *(encode(secret) for encode in ENCODINGS.values() for secret in KNOWN)]:
        once = redactor(text)
        assert redactor(once) == once


def test_long_texts_take_no_longer_than_they_must() -> None:
    """Nothing in it is quadratic: this would not end."""
    redactor = Redactor(KNOWN)
    for text in ("a" * 400_000, "-" * 400_000, "token" * 80_000, "%41" * 100_000, "\\" * 200_000, "name: " * 50_000):
        redactor(text)


class TestLearning:
    def test_from_a_secret(self) -> None:
        config = {"auths": {"registry": {"auth": b64("me:inner-s3cr3t"), "password": "inner-s3cr3t"}}}
        data = {"plain": "planted-1", ".dockerconfigjson": json.dumps(config), "token": "four"}
        secret = {"kind": "Secret", "data": {key: b64(value) for key, value in data.items()}}
        redactor = _knowing(secret)
        for text in ("planted-1", "inner-s3cr3t", "four", b64("me:inner-s3cr3t")):
            assert MARK in redactor(f"x {text} y")

    def test_a_key_line_by_line(self) -> None:
        lines = ("-----BEGIN PRIVATE KEY-----", "MIGHAgEAMBMGByqGSM49AgEG", "CCqGSM49AwEHBG0wawIBAQQg")
        key = "\n".join([*lines, "-----END PRIVATE KEY-----", ""])
        redactor = _knowing({"kind": "Secret", "data": {"tls.key": b64(key)}})
        assert "MIGHAgEA" not in redactor("first MIGHAgEAMBMGByqGSM49AgEG")

    def test_bytes_that_are_no_text(self) -> None:
        redactor = _knowing({"kind": "Secret", "data": {"any": b64(b"\xff\xfe\x00\x01planted")}})
        assert redactor(b64(b"\xff\xfe\x00\x01planted")) == MARK

    def test_what_is_public_is_not_learned(self) -> None:
        certificate = "-----BEGIN CERTIFICATE-----\nMIIBdjCCAR2gAwIBAgIBADAKBg\n-----END CERTIFICATE-----\n"
        public = {
            "tls.crt": certificate,
            "namespace": "kargo-demo-prod",
            "url": "http://git.example/a.git",
            "repoURL": "product-api/private/",
            "type": "git",
        }
        redactor = _knowing({"kind": "Secret", "data": {key: b64(value) for key, value in public.items()}})
        for text in public.values():
            assert redactor(text) == text

    def test_from_a_kubeconfig(self) -> None:
        key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIvAAo5CaTmXdmY0T1\n-----END EC PRIVATE KEY-----\n"
        user = {"client-key-data": b64(key), "token": "planted-1", "client-certificate-data": b64("public")}
        redactor = Redactor(of_kubeconfig(yaml.safe_dump({"users": [{"name": "admin", "user": user}]})))
        for text in (b64(key), "planted-1", "MHcCAQEEIIvAAo5CaTmXdmY0T1"):
            assert redactor(f"x {text} y") == f"x {MARK} y"
        assert redactor(b64("public")) == b64("public")

    def test_from_the_environment(self) -> None:
        environment = {
            "GITHUB_TOKEN": "planted-1",
            "AWS_SECRET_ACCESS_KEY": "planted-2",
            "PIP_INDEX_URL": "https://me:planted%2F3@example.com/simple",
            "SSH_AUTH_SOCK": "/run/planted-4",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        }
        redactor = Redactor.of_environment(environment)
        assert redactor("planted-1 planted-2 planted/3 /run/planted-4 /root C.UTF-8") == (
            f"{MARK} {MARK} {MARK} /run/planted-4 /root C.UTF-8"
        )

    def test_later(self) -> None:
        redactor = Redactor()
        assert redactor("hunter2-Tr0ub4dor") != MARK
        redactor.learn(["hunter2-Tr0ub4dor"])
        assert redactor("hunter2-Tr0ub4dor") == MARK


def _knowing(secret: dict[str, Any]) -> Redactor:
    return Redactor(of_secret(secret))


@dataclasses.dataclass
class Shown:
    lines: list[str]
    inner: tuple[str, int]


def test_within_structures() -> None:
    shown = Redactor(["hunter2-a\nhunter2-b"]).within(
        Shown(["x hunter2-a", "hunter2-b y"], ("hunter2-a\nhunter2-b", 3))
    )
    assert shown == Shown([f"x {MARK} y"], (MARK, 3))


def test_compressed_data_is_dropped_whoever_knows_what_is_in_it() -> None:
    assert Redactor()(f"release: {b64(gzip.compress(b'anything'))}") == f"release: {COMPRESSED}"


def test_every_form_is_long_enough_to_be_told_from_chance() -> None:
    assert min(map(len, forms("abcd"))) >= 4
