"""The namespace of a Project."""

from __future__ import annotations

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.refusals import invalid, invalid_object, not_found
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.kinds import LABEL_PROJECT


def require_project(kube: Kube, review: Review) -> None:
    """See that a new object goes into a Project's namespace. Raises Refused."""
    namespace = kube.find(Ref("v1", "Namespace", review.namespace))
    if namespace is None:
        raise not_found("Namespace", review.namespace, group="")
    if not is_project(namespace):
        error = invalid("metadata.namespace", review.namespace, f'namespace "{review.namespace}" is not a project')
        raise invalid_object(review.object["kind"], review.name, [error])


def is_project(namespace: Manifest) -> bool:
    """Whether a Namespace is marked as a Project's."""
    return bool(namespace["metadata"].get("labels", {}).get(LABEL_PROJECT) == "true")
