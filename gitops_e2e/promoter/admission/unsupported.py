"""What Kargo 1.8.4 has and the engine has not: refused in so many words, never ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.admission.refusals import denied
from gitops_e2e.promoter.steps import KINDS

KARGO_STEPS = frozenset(
    {
        "argocd-update",
        "compose-output",
        "copy",
        "delete",
        "git-clear",
        "git-clone",
        "git-commit",
        "git-merge-pr",
        "git-open-pr",
        "git-push",
        "git-wait-for-pr",
        "helm-template",
        "helm-update-chart",
        "http",
        "http-download",
        "json-parse",
        "json-update",
        "kustomize-build",
        "kustomize-set-image",
        "oci-download",
        "set-metadata",
        "untar",
        "yaml-parse",
        "yaml-update",
    }
)
"""The steps of Kargo 1.8.4 (behaviour file, 6). Another kind fails when it is run, as in Kargo."""

_MISSING_STEPS = KARGO_STEPS - KINDS.keys()


def refuse(features: Iterable[str]) -> None:
    """Raises Refused if there are any."""
    if found := list(features):
        raise denied(f"not supported by the embedded engine: {', '.join(found)}")


def steps(path: str, listed: Iterable[Manifest]) -> Iterator[str]:
    """What the engine cannot do of these steps; `path` is that of their list."""
    for index, step in enumerate(listed):
        uses = step.get("uses")
        if uses in _MISSING_STEPS:
            yield f"step {uses} ({path}[{index}].uses)"
        elif uses in {"git-clone", "git-commit"} and _is_signed(step):
            yield f"signed commits ({path}[{index}].config.author.signingKey)"


def sharding(spec: Manifest) -> Iterator[str]:
    """The engine looks after all objects itself."""
    if spec.get("shard"):
        yield "sharding (spec.shard)"


def subscriptions(spec: Manifest) -> Iterator[str]:
    """Kinds of artifacts that the engine does not look for."""
    for index, subscription in enumerate(spec["subscriptions"]):
        if "chart" in subscription:
            yield f"Helm chart subscriptions (spec.subscriptions[{index}].chart)"


def webhook_receivers(spec: Manifest) -> Iterator[str]:
    """The engine looks for news itself; it is not called."""
    if spec.get("webhookReceivers"):
        yield "webhook receivers (spec.webhookReceivers)"


def _is_signed(step: Manifest) -> bool:
    config = step.get("config")
    author = config.get("author") if isinstance(config, dict) else None
    return isinstance(author, dict) and bool(author.get("signingKey"))
