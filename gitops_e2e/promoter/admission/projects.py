"""Rules for Projects: each brings its namespace along (behaviour file, 1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Kube, Ref
from gitops_e2e.promoter.admission.refusals import conflict
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.projects.namespaces import create_namespace, is_project


@dataclass(frozen=True)
class Projects:
    """What holds for Projects."""

    kube: Kube

    def default(self, review: Review) -> None:
        """Nothing is filled in."""

    def validate(self, review: Review) -> None:
        """Create a new Project's namespace. Raises Refused where that name belongs to something else."""
        if review.operation != "CREATE":
            return
        namespace = self.kube.find(Ref("v1", "Namespace", review.name))
        if namespace is None and not review.dry_run:
            namespace = create_namespace(self.kube, review.name)
        if namespace is not None and not is_project(namespace):
            name = quote(review.name)
            reason = f"namespace {name} already exists and is not labeled as a Project namespace"
            raise conflict("projects", review.name, f"failed to initialize Project {name} because {reason}")
