"""A real registry on loopback, Debian's docker-registry, and images made by hand to put into it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from gitops_e2e.machine.packages import require
from tests.control_plane import Process, free_port

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
USER, PASSWORD = "robot", "secret"
_HTPASSWD = f"{USER}:$2b$04$QWoCkWnlpIrkWocbgk/j6uVjZMIJ.ln1RmEpHbRjs/WcCy710n8B6\n"  # bcrypt of the password
_WAIT = 20.0


class RegistryServer:
    """A docker-registry that can be stopped and started again; `host` is `127.0.0.1:<port>`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        require("docker-registry")
        folder.mkdir(parents=True, exist_ok=True)
        self.host = f"127.0.0.1:{free_port()}"
        self.scheme = "https" if "tls" in settings.get("http", {}) else "http"
        config = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
            **settings,
            "http": {"addr": self.host, **settings.get("http", {})},
        }
        file = folder / "config.yml"
        file.write_text(yaml.safe_dump(config))
        self._process = Process(["docker-registry", "serve", file], folder / "registry.log")
        self._session = requests.Session()
        self._session.verify = False
        self._session.trust_env = False

    def start(self) -> None:
        self._process.start()
        deadline = time.monotonic() + _WAIT
        while True:
            self._process.check()
            try:
                self._session.get(f"{self.scheme}://{self.host}/v2/", timeout=5)
                return
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "the registry does not answer"
                time.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()

    # --- putting images there

    def push(self, repository: str, tag: str, **image: Any) -> str:
        """An image without layers; its digest. What there is to say of it is in `config_of` and `manifest_of`."""
        config = json.dumps(config_of(tag, **image)).encode()
        self._put_blob(repository, config)
        return self.put(repository, tag, manifest_of(config, image.get("annotations")))

    def put(self, repository: str, reference: str, manifest: Mapping[str, Any]) -> str:
        """Put a manifest or index under a tag or digest; its digest."""
        body = json.dumps(manifest).encode()
        url = f"{self.scheme}://{self.host}/v2/{repository}/manifests/{reference or digest_of(body)}"
        answer = self._session.put(url, data=body, headers={"Content-Type": manifest["mediaType"]}, timeout=10)
        answer.raise_for_status()
        return digest_of(body)

    def delete(self, repository: str, digest: str) -> None:
        url = f"{self.scheme}://{self.host}/v2/{repository}/manifests/{digest}"
        self._session.delete(url, timeout=10).raise_for_status()

    def _put_blob(self, repository: str, body: bytes) -> None:
        started = self._session.post(f"{self.scheme}://{self.host}/v2/{repository}/blobs/uploads/", timeout=10)
        started.raise_for_status()
        place = started.headers["Location"]
        separator = "&" if "?" in place else "?"
        url = f"{place}{separator}digest={digest_of(body)}"
        self._session.put(url, data=body, timeout=10).raise_for_status()


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def config_of(
    name: str,
    *,
    created: str = "",
    labels: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
    **_: Any,
) -> dict[str, Any]:
    system, architecture, *variant = platform.split("/")
    config: dict[str, Any] = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}}
    if variant:
        config["variant"] = variant[0]
    if created:
        config["created"] = created
    config["config"] = {"Labels": {"name": name, **(labels or {})}}
    return config


def manifest_of(config: bytes, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [],
    }
    return manifest | ({"annotations": dict(annotations)} if annotations else {})


def index_of(entries: Sequence[tuple[str, str]], annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An index of images, each a digest and a platform."""
    manifests = []
    for digest, platform in entries:
        system, architecture, *variant = platform.split("/")
        described = {"os": system, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
        manifests.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": 2, "platform": described})
    index: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    return index | ({"annotations": dict(annotations)} if annotations else {})


# --- who may enter


def password_settings(folder: Path) -> dict[str, Any]:
    """The registry asks for the user's password itself."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "htpasswd"
    file.write_text(_HTPASSWD)
    return {"auth": {"htpasswd": {"realm": "test", "path": str(file)}}}


class Keys:
    """A key and a certificate for it, which nobody else vouches for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("registry.example.test")]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.certificate_file, self.key_file = folder / "tls.crt", folder / "tls.key"
        self.certificate_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.key_file.write_bytes(self.key.private_bytes(*private))

    def tls_settings(self) -> dict[str, Any]:
        return {"http": {"tls": {"certificate": str(self.certificate_file), "key": str(self.key_file)}}}


class TokenService:
    """Gives tokens to those who know the password, or to everyone, and notes what was asked for."""

    def __init__(self, keys: Keys, *, anonymous: bool = False) -> None:
        self.keys = keys
        self.anonymous = anonymous
        self.asked: list[dict[str, list[str]]] = []
        self.spoiled = 0
        """So many of the next tokens are no good."""
        self.url = ""

    def settings(self) -> dict[str, Any]:
        bundle = str(self.keys.certificate_file)
        return {"auth": {"token": {"realm": self.url, "service": "test", "issuer": "test", "rootcertbundle": bundle}}}

    @contextmanager
    def serving(self) -> Iterator[None]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                service.asked.append(query)
                body = service.answer(self.headers.get("Authorization", ""), query)
                self.send_response(200 if body else 401)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/token"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=10)

    def answer(self, authorization: str, query: Mapping[str, list[str]]) -> bytes:
        expected = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if authorization != expected and not self.anonymous:
            return b""
        if self.spoiled:
            self.spoiled -= 1
            return json.dumps({"token": "spoiled"}).encode()
        return json.dumps({"token": self._token(query["scope"])}).encode()

    def _token(self, scopes: Sequence[str]) -> str:
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        der = self.keys.certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "test", "sub": USER, "aud": "test", "exp": now + 300, "nbf": now - 10, "iat": now, "jti": "1"}
        signed = f"{_encoded(header)}.{_encoded(claims | {'access': access})}"
        one, two = utils.decode_dss_signature(self.keys.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64(one.to_bytes(32, 'big') + two.to_bytes(32, 'big'))}"


def _encoded(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
