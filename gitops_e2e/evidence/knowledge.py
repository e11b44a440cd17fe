"""Which strings are secrets: of what a cluster's Secrets hold, and of what this process's environment says."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from gitops_e2e.kube import Manifest

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRETIVE = frozenset(
    {"password", "passwd", "pass", "passphrase", "secret", "secretkey", "token", "key", "apikey"}
    | {"credential", "credentials", "auth", "pat"}
)
_LEAST_NAMED, _LEAST = 4, 8
_LEAST_LINE = 16
# What these keys of a Secret hold stands in every object.
_NAMES = frozenset({"name", "namespace", "type", "project", "server", "user", "username", "email", "repoURL"})
_PUBLIC = re.compile(r"-----BEGIN (CERTIFICATE|PUBLIC KEY|X509 CRL)-----")


def of_secret(secret: Manifest) -> Iterator[str]:
    """What must not be told of a Secret's data: all of it but certificates, addresses, and names."""
    for key, encoded in (secret.get("data") or {}).items():
        try:
            value = base64.b64decode(encoded).decode()
        except (binascii.Error, UnicodeDecodeError):
            yield encoded  # no text: as the Secret has it, base64 or not
        else:
            yield from _in_value(key, value)
    for key, value in (secret.get("stringData") or {}).items():
        yield from _in_value(key, value)


def of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """What variables hold whose names say that it is secret, and the passwords in the addresses of any."""
    for name, value in environment.items():
        if is_secretive(name) and not value.startswith("/"):
            yield from _in_value(name, value)
        elif "://" in value:
            yield from _in_address(value)


def of_kubeconfig(text: str) -> Iterator[str]:
    """The keys, tokens and passwords in a kubeconfig, as it has them and as they are."""
    for value in _leaves(_of_yaml(text)):
        yield value
        try:
            yield from _in_value("key", base64.b64decode(value, validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue


def is_secretive(name: str) -> bool:
    """Whether a name says that what it stands for is secret: `clientSecret`, `AWS_SECRET_ACCESS_KEY`, `tls.key`."""
    words = {word.lower() for word in _WORDS.findall(name)}
    return not words.isdisjoint(_SECRETIVE) and not words & {"public", "sock"}


def _in_value(key: str, value: str) -> Iterator[str]:
    value = value.strip()
    if _PUBLIC.match(value):
        return
    if "://" in value and "\n" not in value:
        yield from _in_address(value)
        return
    if (inner := _structure(value)) is not None:
        yield value
        yield from _leaves(inner)
        return
    named = is_secretive(key)
    if len(value) >= (_LEAST_NAMED if named else _LEAST) and key not in _NAMES:
        yield value
        yield from _lines(value)


def _lines(value: str) -> Iterator[str]:
    """The lines of a long value, as a text may have them indented, or one by one."""
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= _LEAST_LINE and "-----" not in line)


def _structure(value: str) -> Manifest | list[object] | None:
    """What is written in the value as JSON or YAML: registry credentials, a kubeconfig, a cluster's settings."""
    if not value.startswith(("{", "[", "apiVersion:")) and "\nclusters:" not in value:
        return None
    try:
        parsed = json.loads(value) if value.startswith(("{", "[")) else _of_yaml(value)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict | list) else None


def _of_yaml(text: str) -> object:
    """What is written in YAML. Raises ValueError."""
    # Only here: a node's supervisor says what it does through this module, too, and runs without packages.
    import yaml  # noqa: PLC0415

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _leaves(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, key)
    elif isinstance(value, str) and is_secretive(key):
        yield from _in_value(key, value)


def _in_address(value: str) -> Iterator[str]:
    try:
        password = urlsplit(value).password
    except ValueError:
        return
    if password:
        yield from {password, unquote(password)}
