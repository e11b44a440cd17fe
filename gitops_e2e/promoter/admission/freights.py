"""Rules for Freight: its name and alias, that it is what its Warehouse looks for, and that it never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission import shapes
from gitops_e2e.promoter.admission.aliases import new_alias
from gitops_e2e.promoter.admission.artifacts import ARTIFACT_KINDS, artifact_errors
from gitops_e2e.promoter.admission.labels import mirror
from gitops_e2e.promoter.admission.namespaces import require_project
from gitops_e2e.promoter.admission.refusals import (
    FieldError,
    Refused,
    conflict,
    forbidden_object,
    internal_error,
    invalid,
    invalid_object,
)
from gitops_e2e.promoter.admission.requesters import Requesters, actor
from gitops_e2e.promoter.admission.reviews import Review
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import API_VERSION, FREIGHTS, LABEL_ALIAS, STAGES
from gitops_e2e.promoter.api.stages import current_collection
from gitops_e2e.promoter.runtime import EventRecorder, freight_annotations
from gitops_e2e.promoter.warehouses.naming import freight_name


@dataclass(frozen=True)
class Freights:
    """What holds for Freight."""

    kube: Kube
    requesters: Requesters
    events: EventRecorder

    def default(self, review: Review) -> None:
        """A new Freight's name says what it is made of; it gets an alias that nothing else in the cluster has."""
        freight = review.object
        if review.operation == "CREATE":
            freight["metadata"]["name"] = freight_name(freight)
            freight["alias"] = freight.get("alias") or new_alias(self._is_taken)
        mirror(freight, LABEL_ALIAS, freight.get("alias", ""))

    def validate(self, review: Review) -> None:
        """Raises Refused for Freight that cannot be, that would change, or that is in use."""
        match review.operation, review.subresource:
            case "UPDATE", "status":
                self._validate_approvals(review)
            case "CREATE", _:
                self._validate_new(review)
            case "UPDATE", _:
                self._validate_change(review)
            case "DELETE", _:
                self._validate_deletion(review)

    # --- create

    def _is_taken(self, alias: str) -> bool:
        return bool(self.kube.list(FREIGHTS, labels=f"{LABEL_ALIAS}={alias}"))

    def _others_with_alias(self, review: Review) -> list[Manifest]:
        found = self.kube.list(FREIGHTS, review.namespace, labels=f"{LABEL_ALIAS}={review.object['alias']}")
        return [freight for freight in found if freight["metadata"]["name"] != review.name]

    def _validate_new(self, review: Review) -> None:
        require_project(self.kube, review)
        if self._others_with_alias(review):
            detail = f"alias already used by another piece of Freight in namespace {quote(review.namespace)}"
            raise _invalid(review, invalid("alias", review.object["alias"], detail))
        if not any(review.object.get(kind) for kind in ARTIFACT_KINDS):
            detail = "freight must contain at least one commit, image, or chart"
            raise _invalid(review, invalid("", review.object, detail, shape=shapes.FREIGHT))
        origin = review.object["origin"]
        warehouse = self.kube.find(Ref(API_VERSION, "Warehouse", origin["name"], review.namespace))
        if warehouse is None:
            raise _invalid(review, invalid("warehouse", origin["name"], "warehouse does not exist"))
        if errors := list(artifact_errors(review.object, warehouse)):
            raise _invalid(review, *errors)

    # --- change

    def _validate_change(self, review: Review) -> None:
        if review.object.get("alias") and self._others_with_alias(review):
            alias, namespace = quote(review.object["alias"]), quote(review.namespace)
            message = f"alias {alias} already used by another piece of Freight in namespace {namespace}"
            raise conflict("freights", review.name, message)
        if changed := next(_changes(review.old, review.object), None):
            raise _invalid(review, changed)

    def _validate_approvals(self, review: Review) -> None:
        approved = _approvals(review.object).keys() - _approvals(review.old).keys()
        for stage in sorted(approved):
            try:
                self._require_promote(review, stage)
            except Refused as refusal:
                raise internal_error(refusal.what) from refusal
            if not review.dry_run:
                self._record_approval(review, stage)

    def _require_promote(self, review: Review, stage: str) -> None:
        self.requesters.require_promote(
            review.user,
            action="approve Freight",
            stage=stage,
            namespace=review.namespace,
            plural="freights",
            name=review.name,
        )

    def _record_approval(self, review: Review, stage: str) -> None:
        who = actor(review.user)
        annotations = {"project": review.namespace, "actor": who, "stage-name": stage}
        self.events.record(
            review.object,
            "FreightApproved",
            f'Freight approved for Stage "{stage}" by "{who}"',
            annotations | freight_annotations(review.object),
        )

    # --- delete

    def _validate_deletion(self, review: Review) -> None:
        if self.requesters.cleans_up(review.user):
            return
        users = [
            quote(stage["metadata"]["name"])
            for stage in self.kube.list(STAGES, review.namespace)
            if review.name in _current_names(stage)
        ]
        if users:
            raise forbidden_object("freights", review.name, f"freight is in-use by stages ({', '.join(users)})")


def _invalid(review: Review, *errors: FieldError) -> Refused:
    return invalid_object("Freight", review.name, errors)


def _changes(old: Manifest, new: Manifest) -> Iterator[FieldError]:
    """The first change is enough to refuse: of the origin, of a list's length, of one artifact."""
    if old["origin"] != new["origin"]:
        yield invalid("origin", new["origin"], "Freight is immutable", shape=shapes.ORIGIN)
    for kind, shape in ARTIFACT_KINDS.items():
        before, after = old.get(kind) or [], new.get(kind) or []
        if len(before) != len(after):
            yield invalid(kind, new.get(kind), "Freight is immutable", shape=shape)
        for index, (known, given) in enumerate(zip(before, after, strict=False)):
            if known != given:
                yield invalid(f"{kind}[{index}]", given, "Freight is immutable", shape=shape)


def _approvals(freight: Manifest) -> Manifest:
    approvals: Manifest = freight.get("status", {}).get("approvedFor", {})
    return approvals


def _current_names(stage: Manifest) -> set[str]:
    collection = current_collection(stage) or {}
    return {reference["name"] for reference in collection.get("items", {}).values()}
