"""The namespace of a Project."""

from __future__ import annotations

from gitops_e2e.kube import Kube, Ref
from gitops_e2e.promoter.admission.refusals import invalid, invalid_object, not_found
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.projects.namespaces import is_project


def require_project(kube: Kube, review: Review) -> None:
    """See that a new object goes into a Project's namespace. Raises Refused."""
    namespace = kube.find(Ref("v1", "Namespace", review.namespace))
    if namespace is None:
        raise not_found("Namespace", review.namespace, group="")
    if not is_project(namespace):
        error = invalid("metadata.namespace", review.namespace, f'namespace "{review.namespace}" is not a project')
        raise invalid_object(review.object["kind"], review.name, [error])
