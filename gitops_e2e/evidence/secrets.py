"""The Secrets of a cluster, watched so that what they held is known even when they are gone."""

from __future__ import annotations

from gitops_e2e.evidence.knowledge import of_secret
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.watching import Fact, Narrator

SECRETS = Resource("v1", "Secret", "secrets", namespaced=True)


def learning(redactor: Redactor) -> Narrator:
    """A narrator of Secrets that tells nothing, and lets the redactor know what they hold."""

    def narrate(_before: Manifest | None, after: Manifest | None) -> tuple[Fact, ...]:
        redactor.learn(of_secret(after) if after else ())
        return ()

    return narrate
