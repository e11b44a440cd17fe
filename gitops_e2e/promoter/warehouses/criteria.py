"""Whether Freight is wanted at all: `freightCreationCriteria` (behaviour file, 1.6)."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.urls import normalized_git_url
from gitops_e2e.promoter.expressions import Environment, Evaluator, ExpressionFailed
from gitops_e2e.promoter.warehouses.artifacts import newest_commits, newest_images


class CriteriaFailed(HarnessError):
    """The criteria cannot be evaluated."""


def are_met(evaluator: Evaluator, warehouse: Manifest, artifacts: Manifest) -> bool:
    """Whether the newest artifacts are such as the Warehouse asks for; yes, where it does not ask.

    Raises CriteriaFailed.
    """
    expression = warehouse["spec"].get("freightCreationCriteria", {}).get("expression", "")
    if not expression:
        return True
    try:
        result = evaluator.evaluate(expression, _environment(artifacts))
    except ExpressionFailed as error:
        raise CriteriaFailed(error.what) from error
    if not isinstance(result.value, bool):
        raise CriteriaFailed(f"criteria expression result of type {result.go_type} is no boolean")
    return result.value


def _environment(artifacts: Manifest) -> Environment:
    commits, images = newest_commits(artifacts), newest_images(artifacts)

    def commit_from(url: str) -> Manifest | None:
        wanted = normalized_git_url(url)
        return next((commit for commit in commits if normalized_git_url(commit["repoURL"]) == wanted), None)

    def image_from(url: str) -> Manifest | None:
        return next((image for image in images if image["repoURL"] == url), None)

    def chart_from(_url: str, _name: str = "") -> None:
        """There are no charts."""

    return Environment(functions={"commitFrom": commit_from, "imageFrom": image_from, "chartFrom": chart_from})
