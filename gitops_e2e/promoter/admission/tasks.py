"""Rules for PromotionTasks and ClusterPromotionTasks."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Kube
from gitops_e2e.promoter.admission import unsupported
from gitops_e2e.promoter.admission.namespaces import require_project
from gitops_e2e.promoter.admission.refusals import invalid_object
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.admission.steps import alias_errors

_STEPS = "spec.steps"


@dataclass(frozen=True)
class Tasks:
    """What holds for tasks of either kind."""

    kube: Kube

    def default(self, review: Review) -> None:
        """Nothing is filled in."""

    def validate(self, review: Review) -> None:
        """Raises Refused for steps whose aliases do not tell them apart."""
        steps = review.object["spec"]["steps"]
        unsupported.refuse(unsupported.steps(_STEPS, steps))
        if review.operation == "CREATE" and review.namespace:
            require_project(self.kube, review)
        if errors := list(alias_errors(_STEPS, steps)):
            raise invalid_object(review.object["kind"], review.name, errors)
