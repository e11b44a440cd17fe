"""The API client of the engine: what it writes is in the stores before the call returns."""

from __future__ import annotations

import copy
from pathlib import Path

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.runtime.stores import Stores


class StoringKube(Kube):
    """A Kube whose writes go into the informer stores at once.

    A reconciler that runs next therefore sees what the one before it did, even when the watch is late:
    without that, a Promotion could be created twice.
    """

    def __init__(self, kubeconfig: Path, stores: Stores) -> None:
        super().__init__(kubeconfig)
        self.stores = stores

    def create(self, manifest: Manifest) -> Manifest:
        """Create the object. Raises AlreadyExists, or KubeError when it is refused."""
        return self._stored(super().create(manifest))

    def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply: create the object, or take over the fields that the manifest names."""
        return self._stored(super().apply(manifest))

    def patch(self, ref: Ref, change: Manifest, *, subresource: str | None = None) -> Manifest:
        """JSON merge patch of the object, or of its `status` when that is the subresource."""
        return self._stored(super().patch(ref, change, subresource=subresource))

    def _stored(self, answer: Manifest) -> Manifest:
        self.stores.written(copy.deepcopy(answer))  # the answer is the caller's to change
        return answer
