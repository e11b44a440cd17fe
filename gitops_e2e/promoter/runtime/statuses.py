"""Writing status: a merge patch of what differs, nothing when nothing does (behaviour file, 1.2)."""

from __future__ import annotations

import copy

from gitops_e2e.kube import Kube, Manifest, Ref


def merge_patch(before: Manifest, after: Manifest) -> Manifest:
    """The JSON merge patch (RFC 7396) that turns one object into the other; empty when they are equal.

    Lists are replaced whole. A null in an object is the same as nothing: a merge patch cannot write one.
    """
    patch: Manifest = {key: None for key in before if after.get(key) is None}
    for key, value in after.items():
        known = before.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            if inner := merge_patch(known, value):
                patch[key] = inner
        elif value is not None and known != value:
            patch[key] = value
    return patch


def patch_status(kube: Kube, manifest: Manifest, status: Manifest) -> bool:
    """Bring an object's status to what is wanted, and `manifest` with it; whether there was anything to write.

    Sent without a resource version: only the fields that differ are touched. `manifest` then holds the status
    as wanted, not as answered, so that what others wrote meanwhile is no difference next time.
    Raises NotFound, KubeError.
    """
    patch = merge_patch(manifest.get("status", {}), status)
    if not patch:
        return False
    answer = kube.patch(Ref.of(manifest), {"status": patch}, subresource="status")
    manifest["status"] = copy.deepcopy(status)
    manifest["metadata"]["resourceVersion"] = answer["metadata"]["resourceVersion"]
    return True
