"""A Certificate of cert-manager."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref

_LOOK_EVERY = 0.1


class NotIssued(HarnessError):
    """cert-manager has not made a certificate in time."""


def await_issued(kube: Kube, secret: Ref, *, within: float) -> None:
    """Wait until the Secret of a Certificate is there. Raises NotIssued after `within` seconds.

    A pod whose Secret comes late waits for the back-off of its mounts, seconds more than needed.
    """
    deadline = time.monotonic() + within
    while kube.find(secret) is None:
        if time.monotonic() > deadline:
            raise NotIssued(
                f"cert-manager has not issued a certificate within {within:g} s",
                where=str(secret),
                remedy=f"see the conditions of the Certificates in {secret.namespace}, and the log of cert-manager",
            )
        time.sleep(_LOOK_EVERY)


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
