"""Rules for Stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.admission import requests, shapes, unsupported
from gitops_e2e.promoter.admission.labels import mirror
from gitops_e2e.promoter.admission.namespaces import require_project
from gitops_e2e.promoter.admission.refusals import FieldError, bad_request, invalid, invalid_object
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.admission.steps import alias_errors, task_step_errors
from gitops_e2e.promoter.api.kinds import ANNOTATION_ABORT, ANNOTATION_REVERIFY, LABEL_SHARD
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.api.stages import FreightRequest, freight_requests, template_steps

_REQUESTED = "spec.requestedFreight"
_STEPS = "spec.promotionTemplate.spec.steps"


@dataclass(frozen=True)
class Stages:
    """What holds for Stages."""

    kube: Kube
    requesters: Requesters

    def default(self, review: Review) -> None:
        """The shard's label, and the names of those who ask for a verification or its end."""
        mirror(review.object, LABEL_SHARD, review.object["spec"].get("shard", ""))
        requests.sign(review, self.requesters, ANNOTATION_REVERIFY, "id")
        requests.sign(review, self.requesters, ANNOTATION_ABORT, "id")

    def validate(self, review: Review) -> None:
        """Raises Refused for requests of Freight that contradict each other, and for wrong steps."""
        stage = review.object
        unsupported.refuse([*unsupported.sharding(stage["spec"]), *unsupported.steps(_STEPS, template_steps(stage))])
        if review.operation == "CREATE":
            require_project(self.kube, review)
        if errors := list(field_errors(stage)):
            raise invalid_object("Stage", review.name, errors)


def field_errors(stage: Manifest) -> Iterator[FieldError]:
    """What contradicts itself in a Stage. Raises Refused for a soak time that is no duration."""
    try:
        wanted = freight_requests(stage)
    except ValueError as error:
        raise bad_request(str(error)) from error
    yield from _repeated_origins(stage, wanted)
    for index, request in enumerate(wanted):
        yield from _selection_errors(f"{_REQUESTED}[{index}].sources.autoPromotionOptions.selectionPolicy", request)
    steps = template_steps(stage)
    yield from task_step_errors(_STEPS, steps)
    yield from alias_errors(_STEPS, steps)


def _repeated_origins(stage: Manifest, wanted: tuple[FreightRequest, ...]) -> Iterator[FieldError]:
    seen: set[Origin] = set()
    for request in wanted:
        if request.origin in seen:
            detail = f"freight with origin {request.origin} requested multiple times in {_REQUESTED}"
            yield invalid(_REQUESTED, stage["spec"]["requestedFreight"], detail, shape=shapes.FREIGHT_REQUEST)
            return
        seen.add(request.origin)


def _selection_errors(path: str, request: FreightRequest) -> Iterator[FieldError]:
    if request.selection != "MatchUpstream":
        return
    policy = "selection policy 'MatchUpstream'"
    if request.direct:
        yield invalid(
            path, request.selection, f"{policy} cannot be used when accepting Freight directly from its origin"
        )
    elif len(request.stages) != 1:
        yield invalid(path, request.selection, f"{policy} requires exactly one upstream Stage to be specified")
