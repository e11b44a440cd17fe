"""A Certificate of cert-manager."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class Certificate:
    """Which names it is for, whether it is issued, and what cert-manager says about that."""

    names: tuple[str, ...]
    ready: bool
    message: str

    @staticmethod
    def of(manifest: Manifest) -> Certificate:
        """The Certificate that a manifest describes."""
        conditions = {each["type"]: each for each in manifest.get("status", {}).get("conditions", [])}
        ready = conditions.get("Ready", {})
        return Certificate(
            tuple(manifest["spec"].get("dnsNames", [])), ready.get("status") == "True", ready.get("message", "")
        )
