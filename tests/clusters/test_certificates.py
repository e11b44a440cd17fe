"""Certificates as TLS and Kubernetes' RBAC see them."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitops_e2e.clusters.node import certificates
from gitops_e2e.clusters.node.certificates import Authority, Credentials, Identity
from gitops_e2e.clusters.node.layout import KUBERNETES, PKI, Layout

_ADDRESS = IPv4Address("10.231.0.6")


def _save(credentials: Credentials, folder: Path, name: str) -> tuple[str, str]:
    (folder / f"{name}.crt").write_bytes(credentials.certificate)
    (folder / f"{name}.key").write_bytes(credentials.key)
    return str(folder / f"{name}.crt"), str(folder / f"{name}.key")


def _handshake(folder: Path, *, client: Credentials, trusted: Authority, address: str) -> dict[str, object]:
    """The client's certificate as a server sees it that trusts `trusted`, and that serves as 127.0.0.1."""
    authority = Authority("kubernetes")
    server = authority.issue(Identity("server", addresses=(IPv4Address("127.0.0.1"),)))
    (folder / "trusted.crt").write_bytes(trusted.credentials.certificate)
    (folder / "server-ca.crt").write_bytes(authority.credentials.certificate)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "trusted.crt"))
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(*_save(server, folder, "server"))
    asking = ssl.create_default_context(cafile=str(folder / "server-ca.crt"))
    asking.load_cert_chain(*_save(client, folder, "client"))
    seen: dict[str, object] = {}
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(theirs, server_side=True) as connection:
                seen.update(connection.getpeercert() or {})
                connection.sendall(b"x")
        except ssl.SSLError as error:
            seen["refused"] = error.reason

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with asking.wrap_socket(ours, server_hostname=address) as connection:
            connection.recv(1)
    finally:
        ours.close()
        thread.join(timeout=5)
    return seen


def test_a_server_that_trusts_the_authority_sees_the_user_and_the_group(tmp_path: Path) -> None:
    authority = Authority("kubernetes")
    client = authority.issue(Identity("system:node:one", "system:nodes"))

    seen = _handshake(tmp_path, client=client, trusted=authority, address="127.0.0.1")

    assert seen["subject"] == ((("organizationName", "system:nodes"),), (("commonName", "system:node:one"),))


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    client = Authority("kubernetes").issue(Identity("kubernetes-admin", "system:masters"))

    with pytest.raises(ssl.SSLError):
        _handshake(tmp_path, client=client, trusted=Authority("kubernetes"), address="127.0.0.1")


def test_a_server_is_refused_at_an_address_that_is_not_its_own(tmp_path: Path) -> None:
    authority = Authority("kubernetes")
    client = authority.issue(Identity("anyone"))

    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.2"):
        _handshake(tmp_path, client=client, trusted=authority, address="127.0.0.2")


def test_only_who_serves_may_serve() -> None:
    authority = Authority("kubernetes")
    for identity in certificates.identities("one", _ADDRESS).values():
        certificate = x509.load_pem_x509_certificate(authority.issue(identity).certificate)
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        serves = ExtendedKeyUsageOID.SERVER_AUTH in usages
        assert serves == bool(identity.names or identity.addresses), identity.user


def test_the_identities_are_those_that_kubernetes_has_roles_for() -> None:
    who = {one.user: one.group for one in certificates.identities("one", _ADDRESS).values()}

    assert who == {
        "kubernetes-admin": "system:masters",
        "kube-apiserver": None,
        "kube-apiserver-kubelet-client": "system:masters",
        "system:kube-controller-manager": None,
        "system:kube-proxy": None,
        "system:kube-scheduler": None,
        "system:node:one": "system:nodes",
    }


def test_everything_is_written_and_belongs_together(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "one")
    layout.of(KUBERNETES).mkdir(parents=True)

    certificates.write(layout, "one", _ADDRESS)

    pki = layout.of(PKI)
    authority = x509.load_pem_x509_certificate((pki / "ca.crt").read_bytes())
    for path in pki.glob("*.crt"):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(authority)
        key = load_pem_private_key(path.with_suffix(".key").read_bytes(), None)
        assert certificate.public_key() == key.public_key(), path.name
    assert (
        load_pem_public_key((pki / "sa.pub").read_bytes())
        == load_pem_private_key((pki / "sa.key").read_bytes(), None).public_key()
    )
    configs = {path.stem for path in layout.of(KUBERNETES).glob("*.conf")}
    assert configs == {"controller-manager", "kubelet", "proxy", "scheduler"}


def test_the_kubeconfig_needs_no_other_file(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "one")
    layout.of(KUBERNETES).mkdir(parents=True)
    certificates.write(layout, "one", _ADDRESS)

    config = json.loads(layout.kubeconfig.read_text())

    assert config["clusters"][0]["cluster"]["server"] == "https://10.231.0.6:6443"
    assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert config["current-context"] == "one"
    issued = x509.load_pem_x509_certificate((layout.of(PKI) / "admin.crt").read_bytes())
    assert issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "kubernetes-admin"
