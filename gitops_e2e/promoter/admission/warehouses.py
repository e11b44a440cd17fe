"""Rules for Warehouses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.admission import shapes, unsupported
from gitops_e2e.promoter.admission.labels import mirror
from gitops_e2e.promoter.admission.namespaces import require_project
from gitops_e2e.promoter.admission.refusals import FieldError, invalid, invalid_object
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.kinds import LABEL_SHARD
from gitops_e2e.promoter.api.urls import normalized_git_url
from gitops_e2e.promoter.warehouses.semver import is_constraint

_SUBSCRIPTIONS = "spec.subscriptions"
_KINDS = {"git": "Git repository", "image": "image repository", "chart": "Helm chart"}
_PLATFORM = re.compile(r"[^/]+/[^/]+(/[^/]+)?")


@dataclass(frozen=True)
class Warehouses:
    """What holds for Warehouses."""

    kube: Kube

    def default(self, review: Review) -> None:
        """The shard's label."""
        mirror(review.object, LABEL_SHARD, review.object["spec"].get("shard", ""))

    def validate(self, review: Review) -> None:
        """Raises Refused for subscriptions that contradict themselves or each other."""
        spec = review.object["spec"]
        unsupported.refuse([*unsupported.sharding(spec), *unsupported.subscriptions(spec)])
        if review.operation == "CREATE":
            require_project(self.kube, review)
        if errors := list(field_errors(spec["subscriptions"])):
            raise invalid_object("Warehouse", review.name, errors)


def field_errors(subscriptions: list[Manifest]) -> Iterator[FieldError]:
    """What contradicts itself, or each other, in a Warehouse's subscriptions."""
    seen: dict[tuple[str, str], str] = {}
    for index, subscription in enumerate(subscriptions):
        path = f"{_SUBSCRIPTIONS}[{index}]"
        kinds = [kind for kind in _KINDS if kind in subscription]
        if len(kinds) != 1:
            detail = f"exactly one of {path}.git, {path}.image, or {path}.chart must be non-empty"
            yield invalid(path, subscription, detail, shape=shapes.SUBSCRIPTION)
            continue
        kind = kinds[0]
        where, fields = f"{path}.{kind}", subscription[kind]
        yield from _image_errors(where, fields) if kind == "image" else _git_errors(where, fields)
        first = seen.setdefault(_repository(kind, fields), where)
        if first != where:
            yield invalid(where, fields["repoURL"], f'subscription for {_KINDS[kind]} already exists at "{first}"')


def _image_errors(path: str, image: Manifest) -> Iterator[FieldError]:
    if image["imageSelectionStrategy"] == "SemVer":
        for field in ("constraint", "semverConstraint"):
            yield from _constraint_errors(f"{path}.{field}", image.get(field, ""))
    platform = image.get("platform", "")
    if platform and not _PLATFORM.fullmatch(platform):
        yield invalid(f"{path}.platform", platform)


def _git_errors(path: str, git: Manifest) -> Iterator[FieldError]:
    yield from _constraint_errors(f"{path}.semverConstraint", git.get("semverConstraint", ""))


def _constraint_errors(path: str, text: str) -> Iterator[FieldError]:
    if text and not is_constraint(text):
        yield invalid(path, text)


def _repository(kind: str, fields: Manifest) -> tuple[str, str]:
    url = fields["repoURL"]
    return kind, normalized_git_url(url) if kind == "git" else url
