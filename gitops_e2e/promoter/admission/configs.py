"""Rules for ProjectConfigs and ClusterConfigs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission import unsupported
from gitops_e2e.promoter.admission.refusals import FieldError, forbidden_object, invalid, invalid_object, not_found
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.kinds import LABEL_PROJECT
from gitops_e2e.promoter.api.policies import PATTERN_KINDS, PREFIXED
from gitops_e2e.promoter.projects.namespaces import is_project

_POLICIES = "spec.promotionPolicies"


@dataclass(frozen=True)
class ProjectConfigs:
    """What holds for ProjectConfigs."""

    kube: Kube

    def default(self, review: Review) -> None:
        """Nothing is filled in."""

    def validate(self, review: Review) -> None:
        """Raises Refused where the config is not in its Project, or a policy is wrong."""
        spec = review.object.get("spec", {})
        unsupported.refuse(unsupported.webhook_receivers(spec))
        self._require_own_project(review)
        if errors := list(policy_errors(spec.get("promotionPolicies", []))):
            raise invalid_object("ProjectConfig", review.name, errors)

    def _require_own_project(self, review: Review) -> None:
        if review.name != review.namespace:
            detail = f'name "{review.name}" must match project name "{review.namespace}"'
            raise invalid_object("ProjectConfig", review.name, [invalid("metadata.name", review.name, detail)])
        namespace = self.kube.find(Ref("v1", "Namespace", review.namespace))
        if namespace is None:
            raise not_found("Namespace", review.namespace, group="")
        if not is_project(namespace):
            detail = (
                f'namespace "{review.namespace}" does not belong to Kargo project (missing "{LABEL_PROJECT}" label)'
            )
            raise forbidden_object("projectconfigs", review.name, detail)


@dataclass(frozen=True)
class ClusterConfigs:
    """ClusterConfigs hold webhook receivers only, so there are none."""

    def default(self, review: Review) -> None:
        """Nothing is filled in."""

    def validate(self, review: Review) -> None:
        """Raises Refused."""
        unsupported.refuse([review.object["kind"]])


def policy_errors(policies: list[Manifest]) -> Iterator[FieldError]:
    """What is wrong with a ProjectConfig's promotion policies."""
    first: dict[str, int] = {}
    for index, policy in enumerate(policies):
        field, name = _stage_name(policy)
        path = f"{_POLICIES}[{index}].{field}"
        if field == "stageSelector.name" and (prefixed := PREFIXED.fullmatch(name)):
            if prefixed["kind"] not in PATTERN_KINDS:
                expected = 'must be "regex", "regexp" or "glob"'
                yield invalid(path, name, f'invalid pattern identifier "{prefixed["kind"]}": {expected}')
        elif name in first:
            yield invalid(path, name, f"stage name already defined at {_POLICIES}[{first[name]}]")
        elif name:
            first[name] = index


def _stage_name(policy: Manifest) -> tuple[str, str]:
    if "stage" in policy:
        return "stage", policy["stage"]
    return "stageSelector.name", policy.get("stageSelector", {}).get("name", "")
