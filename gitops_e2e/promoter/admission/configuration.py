"""What the API server is told about the webhooks: whom to ask, about what, and which certificate to trust."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission.registry import WEBHOOKS, Asked
from gitops_e2e.promoter.admission.server import MUTATE, VALIDATE
from gitops_e2e.promoter.api.kinds import GROUP

NAME = "kargo"
"""The name of both configuration objects."""

INJECT_CA_FROM = "cert-manager.io/inject-ca-from"
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class CaBundle:
    """The certificate authority, given as PEM."""

    pem: bytes


@dataclass(frozen=True)
class InjectedBy:
    """The certificate authority of a cert-manager Certificate, which cainjector fills in."""

    namespace: str
    certificate: str


@dataclass(frozen=True)
class AtUrl:
    """The admission server answers at a URL, such as `https://10.0.0.2:9443`."""

    url: str

    def client(self, path: str) -> Manifest:
        """The address as `clientConfig` says it."""
        return {"url": self.url + path}


@dataclass(frozen=True)
class BehindService:
    """The admission server answers behind a Service, at its port 443."""

    namespace: str
    name: str

    @property
    def host(self) -> str:
        """The name that the serving certificate is for."""
        return f"{self.name}.{self.namespace}.svc"

    def client(self, path: str) -> Manifest:
        """The address as `clientConfig` says it."""
        return {"service": {"namespace": self.namespace, "name": self.name, "path": path, "port": 443}}


def configurations(server: AtUrl | BehindService, trust: CaBundle | InjectedBy) -> list[Manifest]:
    """The MutatingWebhookConfiguration and the ValidatingWebhookConfiguration."""
    mutating = [
        _webhook(asked, server.client(MUTATE), trust, _defaulted(asked)) for asked in WEBHOOKS if asked.defaulted
    ]
    validating = [_webhook(asked, server.client(VALIDATE), trust, list(_validated(asked))) for asked in WEBHOOKS]
    return [
        _configuration("MutatingWebhookConfiguration", mutating, trust),
        _configuration("ValidatingWebhookConfiguration", validating, trust),
    ]


def is_trusted(configuration: Manifest) -> bool:
    """Whether every webhook of a configuration object has its CA bundle."""
    return all(webhook["clientConfig"].get("caBundle") for webhook in configuration["webhooks"])


def serving_certificate(server: BehindService, *, secret: str) -> list[Manifest]:
    """The cert-manager objects that put a serving certificate into a Secret: an Issuer, and a Certificate.

    Both are called as the Service and live in its namespace, `InjectedBy(server.namespace, server.name)`.
    """
    metadata = {"name": server.name, "namespace": server.namespace}
    issuer: Manifest = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": metadata,
        "spec": {"selfSigned": {}},
    }
    spec = {"secretName": secret, "dnsNames": [server.host], "issuerRef": {"kind": "Issuer", "name": server.name}}
    return [issuer, {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata, "spec": spec}]


def _configuration(kind: str, webhooks: list[Manifest], trust: CaBundle | InjectedBy) -> Manifest:
    metadata: Manifest = {"name": NAME}
    if isinstance(trust, InjectedBy):
        metadata["annotations"] = {INJECT_CA_FROM: f"{trust.namespace}/{trust.certificate}"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": webhooks,
    }


def _webhook(asked: Asked, client: Manifest, trust: CaBundle | InjectedBy, rules: list[Manifest]) -> Manifest:
    bundle = {"caBundle": base64.b64encode(trust.pem).decode()} if isinstance(trust, CaBundle) else {}
    return {
        "name": f"{asked.name}.{GROUP}",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {**client, **bundle},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "rules": rules,
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": _TIMEOUT_SECONDS,
    }


def _defaulted(asked: Asked) -> list[Manifest]:
    return [_rule(asked.resource, ["CREATE", "UPDATE"])]


def _validated(asked: Asked) -> Iterator[Manifest]:
    yield _rule(asked.resource, list(asked.validated))
    if asked.status:
        yield _rule(f"{asked.resource}/status", ["UPDATE"])


def _rule(resource: str, operations: list[str]) -> Manifest:
    return {"apiGroups": [GROUP], "apiVersions": ["v1alpha1"], "operations": operations, "resources": [resource]}
