"""Where Freight comes from."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class Origin:
    """A source of Freight; its text, such as `Warehouse/main`, is the key of Freight collections."""

    kind: str
    name: str

    @staticmethod
    def of(manifest: Manifest) -> Origin:
        """Read `{kind, name}`."""
        return Origin(manifest["kind"], manifest["name"])

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
