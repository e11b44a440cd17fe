"""The node's certificate authority, the identities that Kubernetes' own RBAC roles know, and their kubeconfigs.

Names and groups are those of kubeadm and of Kubernetes' bootstrap policy: `system:masters` is bound to
cluster-admin, `system:nodes` is what the Node authorizer looks for, the `system:kube-*` users have roles of
their own. All keys are on the curve P-256, which takes no noticeable time to make.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitops_e2e.clusters.node.layout import KUBERNETES, PKI, Layout
from gitops_e2e.clusters.node.network import API_SERVICE

API_PORT = 6443
_VALID = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)
_LOOPBACK = IPv4Address("127.0.0.1")


@dataclass(frozen=True)
class Credentials:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Identity:
    """Who a certificate is for: RBAC's user and group; names and addresses are what it may serve as."""

    user: str
    group: str | None = None
    names: Sequence[str] = ()
    addresses: Sequence[IPv4Address] = ()


class Authority:
    """A certificate authority of a node's own, for clients and servers alike."""

    def __init__(self, name: str) -> None:
        self._name = _name(Identity(name))
        self._key = generate_private_key(SECP256R1())
        self._certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_ca_usage(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.credentials = Credentials(self._certificate.public_bytes(serialization.Encoding.PEM), _pem(self._key))

    def issue(self, identity: Identity) -> Credentials:
        """A certificate with which the identity can be a client, and a server where it has names or addresses."""
        key = generate_private_key(SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        serves = [*map(x509.DNSName, identity.names), *map(x509.IPAddress, identity.addresses)]
        builder = self._builder(_name(identity), key.public_key())
        if serves:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(x509.SubjectAlternativeName(serves), critical=False)
        certificate = (
            builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(self._identifier(), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Credentials(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        # Python 3.13 and later trust no certificate that does not say which key it was signed with (RFC 5280, 4.2.1.1).
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    def _builder(self, subject: x509.Name, key: object) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _VALID)
        )


def identities(node: str, address: IPv4Address) -> dict[str, Identity]:
    """Who is who on a node; the keys name the files."""
    local = ("localhost",)
    api_names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    api_addresses = (_LOOPBACK, IPv4Address(API_SERVICE), address)
    return {
        "admin": Identity("kubernetes-admin", "system:masters"),
        "apiserver": Identity("kube-apiserver", names=(*local, *api_names), addresses=api_addresses),
        "apiserver-kubelet-client": Identity("kube-apiserver-kubelet-client", "system:masters"),
        "controller-manager": Identity("system:kube-controller-manager", names=local, addresses=(_LOOPBACK,)),
        "kubelet": Identity(f"system:node:{node}", "system:nodes", names=(node,), addresses=(address,)),
        "proxy": Identity("system:kube-proxy"),
        "scheduler": Identity("system:kube-scheduler", names=local, addresses=(_LOOPBACK,)),
    }


def write(layout: Layout, node: str, address: IPv4Address) -> None:
    """Make and write everything: `pki/<name>.crt|key`, `<name>.conf` for the components, the admin's kubeconfig."""
    pki = layout.of(PKI)
    pki.mkdir(parents=True, mode=0o700)
    authority = Authority("kubernetes")
    issued = {name: authority.issue(identity) for name, identity in identities(node, address).items()}
    for name, credentials in {"ca": authority.credentials, **issued}.items():
        (pki / f"{name}.crt").write_bytes(credentials.certificate)
        (pki / f"{name}.key").write_bytes(credentials.key)
    _write_service_account_keys(pki)
    places = {name: layout.of(KUBERNETES) / f"{name}.conf" for name in ("controller-manager", "kubelet", "proxy")}
    places |= {"scheduler": layout.of(KUBERNETES) / "scheduler.conf", "admin": layout.kubeconfig}
    for name, path in places.items():
        path.write_text(kubeconfig(node, address, authority.credentials.certificate, issued[name]))


def kubeconfig(cluster: str, address: IPv4Address, authority: bytes, user: Credentials) -> str:
    """A kubeconfig that holds all it needs; JSON is YAML, too."""
    server = {"server": f"https://{address}:{API_PORT}", "certificate-authority-data": _base64(authority)}
    client = {"client-certificate-data": _base64(user.certificate), "client-key-data": _base64(user.key)}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": server}],
            "users": [{"name": cluster, "user": client}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
            "current-context": cluster,
        },
        indent=2,
    )


def _write_service_account_keys(pki: Path) -> None:
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (pki / "sa.key").write_bytes(_pem(key))
    (pki / "sa.pub").write_bytes(public)


def _name(identity: Identity) -> x509.Name:
    group = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group)] if identity.group else []
    return x509.Name([*group, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    # SEC1, not PKCS #8: the controller-manager's and the API server's key parsers take both
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _base64(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
