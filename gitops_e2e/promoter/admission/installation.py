"""Bringing the webhooks into effect, and knowing when they are."""

from __future__ import annotations

import time

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Manifest
from gitops_e2e.promoter.admission.configuration import AtUrl, BehindService, CaBundle, InjectedBy, configurations
from gitops_e2e.promoter.api.kinds import API_VERSION

_POLL_SECONDS = 0.05
# Kargo's words, of its mutating and of its validating webhooks; before these are asked, an object is accepted.
_MUTATED = "could not find Stage"
_VALIDATED = "is not a project"
_PROMOTION: Manifest = {
    "apiVersion": API_VERSION,
    "kind": "Promotion",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"stage": "probe", "freight": "probe", "steps": [{"uses": "compose-output"}]},
}
_TASK: Manifest = {
    "apiVersion": API_VERSION,
    "kind": "PromotionTask",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"steps": [{"uses": "compose-output"}]},
}


class NotAsked(HarnessError):
    """The API server does not ask the webhooks, or gets no answer."""


def install(kube: Kube, server: AtUrl | BehindService, trust: CaBundle | InjectedBy, *, timeout: float = 60.0) -> None:
    """Make the API server ask the admission server, and wait until it does.

    Raises NotAsked after `timeout` seconds, with what the API server said last.
    """
    for manifest in configurations(server, trust):
        kube.apply(manifest)
    await_asked(kube, timeout=timeout)


def await_asked(kube: Kube, *, timeout: float) -> None:
    """Wait until the API server asks the webhooks, Kargo's own or the engine's. Raises NotAsked as `install`."""
    deadline = time.monotonic() + timeout
    while answer := _unasked(kube, _PROMOTION, _MUTATED) or _unasked(kube, _TASK, _VALIDATED):
        if time.monotonic() > deadline:
            raise NotAsked(f"admission webhooks are not in effect after {timeout:g} s: {answer}", where=kube.host)
        time.sleep(_POLL_SECONDS)


def _unasked(kube: Kube, probe: Manifest, refusal: str) -> str:
    """What the API server does instead of refusing an object in the webhook's words; empty when it does."""
    try:
        kube.dry_run(probe)
    except KubeError as error:
        return "" if refusal in error.message else error.message
    return f"it accepts a {probe['kind']} unseen"
