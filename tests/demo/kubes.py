"""An API server that only keeps what is applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from gitops_e2e.kube import Kube, Manifest, Ref


@dataclass
class Applied:
    """What was applied, by kind, namespace and name."""

    objects: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)

    @property
    def client(self) -> Kube:
        return cast(Kube, self)

    def apply(self, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        self.objects[manifest["kind"], metadata.get("namespace", ""), metadata["name"]] = manifest
        return manifest

    def find(self, ref: Ref) -> Manifest | None:
        return self.objects.get((ref.kind, ref.namespace or "", ref.name))
