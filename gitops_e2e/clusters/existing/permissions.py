"""Whether this user may do what a run does: each rule of `cluster-role.yaml`, asked of the API server itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from gitops_e2e.clusters.existing.errors import PermissionsMissing
from gitops_e2e.kube import Kube, Manifest

CLUSTER_ROLE = Path(__file__).parent / "cluster-role.yaml"
"""The least that a run has to be permitted, as a ClusterRole."""


@dataclass(frozen=True)
class Permission:
    """One verb on one resource, in all namespaces; `resource` may name a subresource: "pods/log"."""

    verb: str
    group: str
    resource: str

    def granted(self, kube: Kube) -> bool:
        """Whether the API server's authorizers would let this user do it."""
        resource, _, subresource = self.resource.partition("/")
        attributes = {"verb": self.verb, "group": self.group, "resource": resource, "subresource": subresource}
        review: Manifest = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        return bool(kube.create(review)["status"]["allowed"])

    @property
    def place(self) -> str:
        """The resource with its group: "rollouts.argoproj.io"."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def needed() -> tuple[Permission, ...]:
    """All that a run needs."""
    role = yaml.safe_load(CLUSTER_ROLE.read_text())
    return tuple(_permissions(role["rules"]))


def require(kube: Kube) -> None:
    """Ask for every permission. Raises PermissionsMissing with those that are not granted, a line a resource."""
    missing: dict[str, list[str]] = {}
    for permission in needed():
        if not permission.granted(kube):
            missing.setdefault(permission.place, []).append(permission.verb)
    if missing:
        lines = "\n".join(f"  {place}: {', '.join(verbs)}" for place, verbs in sorted(missing.items()))
        raise PermissionsMissing(
            f"this user may not do what a run does; not permitted, in all namespaces:\n{lines}",
            where=kube.host,
            remedy=f"let an administrator apply {CLUSTER_ROLE.name} (docs/existing.md) and bind it to the user",
        )


def _permissions(rules: Sequence[Manifest]) -> Iterator[Permission]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Permission(verb, group, resource)
