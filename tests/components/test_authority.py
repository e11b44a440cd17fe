from __future__ import annotations

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gitops_e2e.components.authority import Authority


def test_an_authority_may_sign_and_has_its_own_key() -> None:
    authority = Authority.create()
    certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    key = serialization.load_pem_private_key(authority.key.encode(), None)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)


def test_the_secret_holds_both_as_an_issuer_reads_them() -> None:
    authority = Authority.create()
    secret = authority.secret()
    assert secret["type"] == "kubernetes.io/tls"
    assert base64.b64decode(secret["data"]["tls.crt"]).decode() == authority.certificate
    assert base64.b64decode(secret["data"]["tls.key"]).decode() == authority.key


def test_two_stacks_have_two_authorities() -> None:
    assert Authority.create().certificate != Authority.create().certificate
