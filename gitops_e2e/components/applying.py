"""Applying many manifests: in an order that works, waiting for kinds and webhooks that are about to be there."""

from __future__ import annotations

import time
from collections.abc import Iterable

from gitops_e2e.kube import Kube, KubeError, Manifest, NotFound, Unreachable

_FIRST = ["Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Role", "Secret", "ConfigMap"]
_LAST = ["Service", "Deployment", "StatefulSet", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]
_RETRY_PAUSE = 0.1


def apply_all(kube: Kube, manifests: Iterable[Manifest], *, within: float) -> None:
    """Apply every manifest, first what others need.

    An object whose kind is not served yet (its CRD was applied a moment ago), or whose
    webhook does not answer yet, is tried again until `within` seconds have passed.
    Raises KubeError with the last refusal.
    """
    deadline = time.monotonic() + within
    for manifest in sorted(manifests, key=_rank):
        _apply(kube, manifest, deadline)


def _apply(kube: Kube, manifest: Manifest, deadline: float) -> None:
    while True:
        try:
            kube.apply(manifest)
            return
        except KubeError as refusal:
            if not _passing(refusal) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_PAUSE)


def _passing(refusal: KubeError) -> bool:
    return isinstance(refusal, NotFound) or (
        not isinstance(refusal, Unreachable) and "failed calling webhook" in refusal.message
    )


def _rank(manifest: Manifest) -> int:
    kind = manifest["kind"]
    if kind in _FIRST:
        return _FIRST.index(kind)
    if kind in _LAST:
        return len(_FIRST) + 1 + _LAST.index(kind)
    return len(_FIRST)
