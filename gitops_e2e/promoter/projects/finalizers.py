"""The engine's mark on objects that must not go before it has cleaned up after them."""

from __future__ import annotations

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import FINALIZER


def has_finalizer(manifest: Manifest) -> bool:
    """Whether the object bears the mark."""
    return FINALIZER in manifest["metadata"].get("finalizers", [])


def add_finalizer(kube: Kube, manifest: Manifest) -> None:
    """Set the mark, unless it is there. Raises Conflict where the object changed in between."""
    if not has_finalizer(manifest):
        _write(kube, manifest, [*manifest["metadata"].get("finalizers", []), FINALIZER])


def remove_finalizer(kube: Kube, manifest: Manifest) -> None:
    """Take the mark off, if it is there. Raises Conflict where the object changed in between."""
    if has_finalizer(manifest):
        _write(kube, manifest, [entry for entry in manifest["metadata"]["finalizers"] if entry != FINALIZER])


def _write(kube: Kube, manifest: Manifest, finalizers: list[str]) -> None:
    change = {"resourceVersion": manifest["metadata"]["resourceVersion"], "finalizers": finalizers}
    answer = kube.patch(Ref.of(manifest), {"metadata": change})
    manifest["metadata"] = answer["metadata"]
