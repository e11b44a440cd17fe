"""Logins to a registry, for the pods that are pulled from it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from gitops_e2e.account import Account
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import Kube, Manifest, NotFound, Ref

PULLING = "gitops-e2e-pull"
"""The Secret of a namespace whose pods are pulled from a registry outside that asks for a login."""

_BOUND = 30.0
_POLL = 0.1


def pull_secret(name: str, namespace: str, host: str, account: Account, annotations: Mapping[str, str]) -> Manifest:
    """The Secret with which a namespace's pods are pulled from a host."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(annotations)},
        "stringData": {".dockerconfigjson": json.dumps({"auths": {host: {"auth": account.basic}}})},
    }


def let_pull(kube: Kube, namespace: str, registry: RemoteRegistry | None) -> None:
    """Make the namespace if it is not there, and give it the login to a registry that asks for one.

    Pods that `kube` makes name the Secret themselves. Raises KubeError.
    """
    if registry and (account := registry.account()):
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        kube.apply(pull_secret(PULLING, namespace, registry.host, account, {}))


def let_all_pull(kube: Kube, namespace: str, registry: RemoteRegistry | None) -> None:
    """The same, for pods that others make: they have the login by the namespace's service account. Raises KubeError."""
    if registry and registry.logins:
        let_pull(kube, namespace, registry)
        _give_to_account(kube, Ref("v1", "ServiceAccount", "default", namespace))


def _give_to_account(kube: Kube, account: Ref) -> None:
    """A controller makes the account a moment after its namespace."""
    deadline = time.monotonic() + _BOUND
    while True:
        try:
            kube.patch(account, {"imagePullSecrets": [{"name": PULLING}]})
            return
        except NotFound:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL)
