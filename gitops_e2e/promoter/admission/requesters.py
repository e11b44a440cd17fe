"""Who asks: Kargo's own control plane, or a user, and what the user may do (behaviour file, 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.admission.refusals import forbidden_object
from gitops_e2e.promoter.admission.reviews import User
from gitops_e2e.promoter.api.kinds import GROUP

CONTROL_PLANE = re.compile(
    r"system:serviceaccount:kargo:kargo-(api|controller|garbage-collector|management-controller)"
)
"""The service accounts of Kargo's components, in the namespace where its chart puts them."""

_CLEANERS = frozenset(
    {
        "system:serviceaccount:kube-system:namespace-controller",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        "system:kube-controller-manager",
    }
)


@dataclass(frozen=True)
class Requesters:
    """Tells users apart. `control_plane` matches the user names of the engine's own components."""

    kube: Kube
    control_plane: re.Pattern[str] = CONTROL_PLANE

    def is_control_plane(self, user: User) -> bool:
        """Whether the engine itself asks."""
        return bool(self.control_plane.fullmatch(user.name))

    def cleans_up(self, user: User) -> bool:
        """Whether Kubernetes asks, to delete what belonged to a namespace or an owner that is gone."""
        return user.name in _CLEANERS

    def require_promote(self, user: User, *, action: str, stage: str, namespace: str, plural: str, name: str) -> None:
        """See that the user has the verb `promote` on a Stage. Raises Refused, which names `plural`/`name`."""
        if self.is_control_plane(user) or self._may_promote(user, stage, namespace):
            return
        message = f'subject "{user.name}" is not permitted to {action} for Stage "{stage}"'
        raise forbidden_object(plural, name, message)

    def _may_promote(self, user: User, stage: str, namespace: str) -> bool:
        attributes = {"group": GROUP, "resource": "stages", "name": stage, "verb": "promote", "namespace": namespace}
        subject = {key: user.info[key] for key in ("groups", "uid", "extra") if key in user.info}
        review: Manifest = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user.name, **subject, "resourceAttributes": attributes},
        }
        return bool(self.kube.create(review)["status"]["allowed"])


def actor(user: User) -> str:
    """The user as annotations and events name them."""
    return f"kubernetes:{user.name}"
