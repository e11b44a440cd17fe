"""What wakes a Stage (behaviour file, 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.freights import is_verified_in, origin
from gitops_e2e.promoter.api.kinds import (
    ANNOTATION_ABORT,
    ANNOTATION_AUTHORIZED_STAGE,
    ANNOTATION_REFRESH,
    ANNOTATION_REVERIFY,
    FREIGHTS,
    PROMOTIONS,
    STAGES,
)
from gitops_e2e.promoter.api.promotions import is_terminal, phase
from gitops_e2e.promoter.api.stages import FreightRequest, freight_requests
from gitops_e2e.promoter.runtime import (
    Change,
    Key,
    Stores,
    Trigger,
    annotation_changed,
    any_of,
    generation_changed,
)
from gitops_e2e.promoter.stages.analysis_runs import ANALYSIS_RUNS, stage_of
from gitops_e2e.promoter.steps.applications import APPLICATIONS

wakes = any_of(generation_changed, annotation_changed(ANNOTATION_REFRESH, ANNOTATION_REVERIFY, ANNOTATION_ABORT))
"""Which changes of a Stage itself are looked at."""


def triggers(stores: Stores) -> tuple[Trigger, ...]:
    """Which changes of other objects wake which Stages."""
    stages = stores.of(STAGES)

    def by_freight(change: Change) -> Iterator[Key]:
        namespace = change.newest["metadata"]["namespace"]
        for stage in stages.list(namespace):
            if change.after is not None and _concerns(change.before, change.after, stage):
                yield Key.of(stage)

    return (
        Trigger(PROMOTIONS, _by_promotion),
        Trigger(FREIGHTS, by_freight),
        Trigger(ANALYSIS_RUNS, _by_analysis_run),
        Trigger(APPLICATIONS, _by_application),
    )


def _by_promotion(change: Change) -> Iterable[Key]:
    promotion = change.newest
    is_cut_off = change.after is None and not is_terminal(promotion)
    is_further = change.after is not None and phase(change.before or {}) != phase(change.after)
    stage = Key(promotion["metadata"]["namespace"], promotion["spec"]["stage"])
    return [stage] if is_cut_off or is_further else []


def _by_analysis_run(change: Change) -> Iterable[Key]:
    stage = stage_of(change.newest)
    # A new run has no phase, and its maker needs no waking.
    if stage and (change.after is None or _run_phase(change.before or {}) != _run_phase(change.after)):
        return [Key(change.newest["metadata"]["namespace"], stage)]
    return []


def _run_phase(run: Manifest) -> str:
    return str(run.get("status", {}).get("phase", ""))


def _by_application(change: Change) -> Iterable[Key]:
    authorized = change.newest["metadata"].get("annotations", {}).get(ANNOTATION_AUTHORIZED_STAGE, "")
    project, colon, stage = authorized.partition(":")
    moved = change.before is None or change.after is None or _view(change.before) != _view(change.after)
    return [Key(project, stage)] if colon and moved else []


def _view(application: Manifest) -> Any:
    status = application.get("status", {})
    operation = status.get("operationState", {})
    return (
        status.get("health", {}).get("status"),
        [status.get("sync", {}).get(field) for field in ("status", "revision", "revisions")],
        # Kargo 1.8 does not look at these and finds out later, by trying again.
        [operation.get(field) for field in ("phase", "finishedAt")],
        "operation" in application,
    )


def _concerns(before: Manifest | None, after: Manifest, stage: Manifest) -> bool:
    """Whether Freight became available to the Stage, or may have."""
    name = stage["metadata"]["name"]
    if name in _field(after, "approvedFor") and name not in _field(before, "approvedFor"):
        return True
    return any(
        request.origin == origin(after) and _concerns_request(before, after, request)
        for request in freight_requests(stage)
    )


def _concerns_request(before: Manifest | None, after: Manifest, request: FreightRequest) -> bool:
    if before is None and request.direct:
        return True
    return any(_is_proven(after, stage) - _is_proven(before or {}, stage) for stage in request.stages)


def _is_proven(freight: Manifest, stage: str) -> set[str]:
    """Which of the two things that downstream Stages wait for hold of the Freight in a Stage."""
    if not is_verified_in(freight, stage):
        return set()
    return {"verified"} | ({"current"} if stage in _field(freight, "currentlyIn") else set())


def _field(freight: Manifest | None, field: str) -> Manifest:
    found: Manifest = (freight or {}).get("status", {}).get(field, {})
    return found
