"""Rules for Promotions: their steps are filled in, and only Freight that a Stage may have is promoted to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission import requests, shapes, unsupported
from gitops_e2e.promoter.admission.labels import mirror
from gitops_e2e.promoter.admission.namespaces import require_project
from gitops_e2e.promoter.admission.refusals import (
    Refused,
    denied,
    internal_error,
    invalid,
    invalid_object,
    not_found,
)
from gitops_e2e.promoter.admission.requesters import Requesters, actor
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.freights import is_available
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import ANNOTATION_ABORT, ANNOTATION_CREATE_ACTOR, API_VERSION, LABEL_SHARD
from gitops_e2e.promoter.promotions.inflation import InflationFailed, inflate
from gitops_e2e.promoter.runtime import ApplicationName, EventRecorder, now, promotion_annotations

ApplicationsOf = Callable[[Manifest, Manifest], Iterable[ApplicationName]]
"""Tells the Applications that a Promotion of a Freight is going to update."""


@dataclass(frozen=True)
class Promotions:
    """What holds for Promotions."""

    kube: Kube
    requesters: Requesters
    events: EventRecorder
    applications_of: ApplicationsOf

    def default(self, review: Review) -> None:
        """Tasks become steps, the Stage becomes the owner; who creates or aborts it is written down."""
        if review.operation == "CREATE":
            self._complete(review)
        else:
            _keep_creator(review)
        requests.sign(review, self.requesters, ANNOTATION_ABORT, "action")

    def validate(self, review: Review) -> None:
        """Raises Refused for what the Stage may not have, for users that may not promote, and for changes."""
        match review.operation:
            case "CREATE":
                self._validate_new(review)
            case "UPDATE":
                self._validate_change(review)
            case "DELETE":
                self._validate_deletion(review)

    # --- filling in

    def _complete(self, review: Review) -> None:
        promotion = review.object
        stage = self._stage(review)
        if stage is None:
            raise denied(f"could not find Stage {_place(review)}")
        if not promotion["spec"].get("steps"):
            raise denied(f"Stage {_place(review)} defines no promotion steps")
        try:
            promotion["spec"]["steps"] = inflate(
                promotion["spec"]["steps"],
                promotion["spec"].get("vars", []),
                lambda kind, name: self._task(kind, name, review.namespace),
            )
        except InflationFailed as error:
            raise denied(error.what) from error
        metadata = promotion["metadata"]
        metadata["ownerReferences"] = [_owner(stage)]
        mirror(promotion, LABEL_SHARD, stage["spec"].get("shard", ""))
        if not self.requesters.is_control_plane(review.user):
            metadata.setdefault("annotations", {})[ANNOTATION_CREATE_ACTOR] = actor(review.user)

    def _stage(self, review: Review) -> Manifest | None:
        return self.kube.find(Ref(API_VERSION, "Stage", review.object["spec"]["stage"], review.namespace))

    def _task(self, kind: str, name: str, namespace: str) -> Manifest:
        place = namespace if kind == "PromotionTask" else None
        task = self.kube.find(Ref(API_VERSION, kind, name, place))
        if task is None:
            raise not_found(kind, name)
        return task

    # --- judging

    def _validate_new(self, review: Review) -> None:
        promotion = review.object
        unsupported.refuse(unsupported.steps("spec.steps", promotion["spec"]["steps"]))
        require_project(self.kube, review)
        self._require_promote(review)
        stage = self._stage(review)
        if stage is None:
            raise denied(f"could not find Stage {_place(review)}")
        name = promotion["spec"]["freight"]
        freight = self.kube.find(Ref(API_VERSION, "Freight", name, review.namespace))
        if freight is None or not is_available(freight, stage, now()):
            error = invalid("spec.freight", name, "Freight is not available to this Stage")
            raise invalid_object("Promotion", review.name, [error])
        if not (review.dry_run or self.requesters.is_control_plane(review.user)):
            self._record_creation(review, freight)

    def _validate_change(self, review: Review) -> None:
        self._require_promote(review)
        if review.object["spec"] != review.old["spec"]:
            error = invalid("spec", review.object["spec"], "spec is immutable", shape=shapes.PROMOTION_SPEC)
            raise invalid_object("Promotion", review.name, [error])

    def _validate_deletion(self, review: Review) -> None:
        if not self.requesters.cleans_up(review.user):
            self._ask_promote(review, "delete Promotions", review.old["spec"]["stage"])

    def _require_promote(self, review: Review) -> None:
        verb = "create" if review.operation == "CREATE" else "update"
        try:
            self._ask_promote(review, f"{verb} Promotions", review.object["spec"]["stage"])
        except Refused as refusal:
            raise internal_error(refusal.what) from refusal

    def _ask_promote(self, review: Review, action: str, stage: str) -> None:
        self.requesters.require_promote(
            review.user,
            action=action,
            stage=stage,
            namespace=review.namespace,
            plural="promotions",
            name=review.name,
        )

    def _record_creation(self, review: Review, freight: Manifest) -> None:
        promotion = review.object
        who = actor(review.user)
        applications = self.applications_of(promotion, freight)
        self.events.record(
            promotion,
            "PromotionCreated",
            f'Promotion created for Stage "{promotion["spec"]["stage"]}" by "{who}"',
            promotion_annotations(promotion, freight, applications, actor=who),
        )


def _keep_creator(review: Review) -> None:
    before = review.old["metadata"].get("annotations", {})
    after = review.object["metadata"].get("annotations", {})
    creator = before.get(ANNOTATION_CREATE_ACTOR)
    if after.get(ANNOTATION_CREATE_ACTOR) == creator:
        return
    kept = {key: value for key, value in after.items() if key != ANNOTATION_CREATE_ACTOR}
    review.object["metadata"]["annotations"] = kept | ({ANNOTATION_CREATE_ACTOR: creator} if creator else {})


def _place(review: Review) -> str:
    return f"{quote(review.object['spec']['stage'])} in namespace {quote(review.namespace)}"


def _owner(stage: Manifest) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": "Stage",
        "name": stage["metadata"]["name"],
        "uid": stage["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
