"""The certificate authority of one stack: made before anything is installed, so that all can be told to trust it."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_e2e.kube import Kube, Manifest, Ref

SECRET = Ref("v1", "Secret", "gitops-e2e-ca", "cert-manager")
"""Where the CA is kept, for the issuer and for runs to come."""


_LIFETIME = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Authority:
    """A self-signed CA; cert-manager issues with it."""

    certificate: str
    """PEM, to be trusted."""
    key: str
    """PEM, for cert-manager alone."""

    @staticmethod
    def create() -> Authority:
        """A fresh CA for one stack, valid for 30 days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gitops-e2e")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        return Authority(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    @staticmethod
    def of(kube: Kube) -> Authority:
        """The CA of a cluster that has one already, else a fresh one."""
        secret = kube.find(SECRET)
        if secret is None:
            return Authority.create()
        certificate, key = (base64.b64decode(secret["data"][file]).decode() for file in ("tls.crt", "tls.key"))
        return Authority(certificate, key)

    def trust(self, name: str, namespace: str) -> Manifest:
        """The CA's certificate as a ConfigMap, for pods that have to trust it."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": {"ca.crt": self.certificate},
        }

    def secret(self) -> Manifest:
        """The CA as the Secret that a cert-manager CA issuer reads."""
        data = {"tls.crt": self.certificate, "tls.key": self.key}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": SECRET.name, "namespace": SECRET.namespace},
            "data": {file: base64.b64encode(pem.encode()).decode() for file, pem in data.items()},
        }
