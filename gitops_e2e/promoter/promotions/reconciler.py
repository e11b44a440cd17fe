"""The Promotion reconciler: from the first look to the end (behaviour file, 4.2, 4.3 and 4.5)."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, NotFound, Ref, Resource
from gitops_e2e.promoter.api.freights import is_available, reference
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import (
    ANNOTATION_ABORT,
    ANNOTATION_AUTHORIZED_STAGE,
    ANNOTATION_REFRESH,
    ANNOTATION_REVERIFY,
    API_VERSION,
    PROMOTIONS,
    STAGES,
)
from gitops_e2e.promoter.api.names import collection_id
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.api.promotions import is_terminal, phase
from gitops_e2e.promoter.api.requests import Request, abort_promotion_request
from gitops_e2e.promoter.api.stages import current_collection, freight_requests
from gitops_e2e.promoter.promotions.applications import ApplicationNames
from gitops_e2e.promoter.promotions.engine import Progress, Run
from gitops_e2e.promoter.promotions.records import Records
from gitops_e2e.promoter.promotions.scope import Scope
from gitops_e2e.promoter.promotions.work_directories import WorkDirectories
from gitops_e2e.promoter.runtime import (
    Change,
    Controller,
    EventRecorder,
    Key,
    StoringKube,
    Trigger,
    annotation_changed,
    any_of,
    generation_changed,
    now,
    parse_time,
    patch_status,
    promotion_annotations,
    rfc3339,
)
from gitops_e2e.promoter.steps import Services
from gitops_e2e.promoter.steps.applications import APPLICATIONS, UNDER_WAY

_logger = logging.getLogger(__name__)

COMPONENT = "promotion-controller"

_ACTOR = f"controller:{COMPONENT}"
_TERMINATE = "terminate"
_WORKERS = 4
_ONE_SECOND = 1.0


class StageMissing(HarnessError):
    """The Stage of a Promotion is gone."""


class PromotionReconciler:
    """Carries Promotions out, each when its Stage lets it, and tells in its status how far it is."""

    resource: Resource = PROMOTIONS

    def __init__(self, kube: StoringKube, services: Services, work_directories: WorkDirectories) -> None:
        self._kube = kube
        self._services = services
        self._work = work_directories
        self._recorder = EventRecorder(kube, COMPONENT)
        self._applications = ApplicationNames(kube, services.evaluator, services.argocd_namespace)
        self._unwritten: dict[str, Manifest] = {}

    def reconcile(self, manifest: Manifest) -> float | None:
        """One look at a Promotion."""
        if is_terminal(manifest):
            return None
        try:
            return self._look(manifest)
        except NotFound:
            if self._kube.find(Ref.of(manifest)) is not None:
                raise
            uid = manifest["metadata"]["uid"]  # deleted while it was carried out
            self._unwritten.pop(uid, None)
            self._work.remove(uid)
            return None

    def _look(self, promotion: Manifest) -> float | None:
        uid = promotion["metadata"]["uid"]
        if uid in self._unwritten:
            self._write(promotion)
            if is_terminal(promotion):
                return None
        request = abort_promotion_request(promotion)
        if request is not None and request.subject == _TERMINATE:
            self._abort(promotion, request)
            return None
        if not phase(promotion):
            self._patch(promotion, {"phase": "Pending"})
        stage = self._stage(promotion)
        if stage.get("status", {}).get("currentPromotion", {}).get("name") != promotion["metadata"]["name"]:
            return None
        if phase(promotion) == "Pending":
            if _ended_this_second(stage):
                return _ONE_SECOND
            self._patch(promotion, {"phase": "Running", "startedAt": rfc3339(now())})
        return self._carry_on(promotion, stage)

    def _carry_on(self, promotion: Manifest, stage: Manifest) -> float | None:
        """Run steps for as long as none has to be waited for."""
        metadata = promotion["metadata"]
        status = copy.deepcopy(promotion["status"])
        freight = self._freight(promotion)
        name, place = quote(promotion["spec"]["freight"]), quote(metadata["namespace"])
        again_after = None
        if freight is None:
            status.update(phase="Errored", message=f"Freight {name} not found in namespace {place}")
        elif not is_available(freight, stage, now()):
            where = f"Stage {quote(stage['metadata']['name'])} in namespace {place}"
            status.update(phase="Errored", message=f"Freight {name} is not available to {where}")
        else:
            status["freight"] = reference(freight)
            status["freightCollection"] = _collection(stage, status["freight"])
            again_after = self._run(promotion, stage, status)
        if again_after is None:
            status["finishedAt"] = rfc3339(now())
        if token := metadata.get("annotations", {}).get(ANNOTATION_REFRESH):
            status["lastHandledRefresh"] = token
        self._unwritten[metadata["uid"]] = status
        self._write(promotion)
        return again_after

    def _run(self, promotion: Manifest, stage: Manifest, status: Manifest) -> float | None:
        """One pass over the steps, told in `status`; the seconds until the next one, None after the last."""
        work_dir, is_new = self._work.open(promotion["metadata"]["uid"])
        progress = Progress(state=status.get("state"))
        if not is_new:
            progress.current_step = status.get("currentStep", 0)
            progress.records = Records(status.get("stepExecutionMetadata", []))
            progress.health_checks = status.get("healthChecks", [])
        scope = Scope.of(
            self._kube,
            self._services.evaluator,
            promotion,
            target=status["freight"],
            freight=list(status["freightCollection"]["items"].values()),
            requested=[request.origin for request in freight_requests(stage)],
        )
        run = Run(self._services, scope, promotion["spec"]["steps"], work_dir, status["startedAt"])
        try:
            run.advance(progress)
        except Exception as error:
            # A defect. To look again would do again what was done before it came to light.
            _logger.exception("Promotion %s: unexpected error", promotion["metadata"]["name"])
            progress.phase, progress.message, progress.again_after = "Errored", f"unexpected error: {error!r}", None
        _tell(progress, status)
        return progress.again_after

    def _abort(self, promotion: Manifest, request: Request) -> None:
        status = copy.deepcopy(promotion.get("status", {}))
        moment = rfc3339(now())
        records = status.get("stepExecutionMetadata", [])
        if records and "startedAt" in records[-1] and "finishedAt" not in records[-1]:
            records[-1].update(status="Aborted", finishedAt=moment)
        message = f"Promotion terminated by {request.actor or _ACTOR}"
        status.update(phase="Aborted", message=message, finishedAt=moment)
        self._unwritten[promotion["metadata"]["uid"]] = status
        self._write(promotion)

    # --- writing

    def _patch(self, promotion: Manifest, fields: Manifest) -> None:
        patch_status(self._kube, promotion, {**promotion.get("status", {}), **fields})

    def _write(self, promotion: Manifest) -> None:
        """Write what a pass came to. It is kept until that succeeds, as the pass must not be done twice."""
        uid = promotion["metadata"]["uid"]
        status = self._unwritten[uid]
        if status["phase"] == "Succeeded":
            self._ask_for_reverification(promotion)
        patch_status(self._kube, promotion, status)
        del self._unwritten[uid]
        if is_terminal(promotion):
            self._work.remove(uid)
            self._record_end(promotion)

    def _record_end(self, promotion: Manifest) -> None:
        freight = self._freight(promotion)
        applications = self._applications(promotion, freight) if freight else []
        about = promotion_annotations(promotion, freight, applications, actor=_ACTOR)
        ended, message = phase(promotion), promotion["status"].get("message", "")
        if ended == "Succeeded":
            stage = self._kube.find(self._stage_ref(promotion))
            about["verification-pending"] = str(bool(stage and stage["spec"].get("verification"))).lower()
        text = message if ended == "Aborted" else f"Promotion {ended}" + (f": {message}" if message else "")
        self._recorder.record(promotion, f"Promotion{ended}", text, about)

    def _ask_for_reverification(self, promotion: Manifest) -> None:
        """Have Freight that is in the Stage already, verified anew. To ask twice is to ask once."""
        ref = self._stage_ref(promotion)
        current = current_collection(self._kube.find(ref) or {}) or {}
        verifications = current.get("verificationHistory", [])
        if verifications and promotion["spec"]["freight"] in {item["name"] for item in current["items"].values()}:
            value = Request(verifications[0]["id"], control_plane=True).annotation("id")
            self._kube.patch(ref, {"metadata": {"annotations": {ANNOTATION_REVERIFY: value}}})

    # --- reading

    def _stage(self, promotion: Manifest) -> Manifest:
        ref = self._stage_ref(promotion)
        stage = self._kube.find(ref)
        if stage is None:
            raise StageMissing(f"could not find Stage {quote(ref.name)} in namespace {quote(ref.namespace or '')}")
        return stage

    def _freight(self, promotion: Manifest) -> Manifest | None:
        name, namespace = promotion["spec"]["freight"], promotion["metadata"]["namespace"]
        return self._kube.find(Ref(API_VERSION, "Freight", name, namespace))

    @staticmethod
    def _stage_ref(promotion: Manifest) -> Ref:
        return Ref(API_VERSION, "Stage", promotion["spec"]["stage"], promotion["metadata"]["namespace"])


def promotion_controller(kube: StoringKube, services: Services, work_directories: WorkDirectories) -> Controller:
    """The controller of Promotions; those of different Stages are carried out side by side."""
    promotions = kube.stores.of(PROMOTIONS)

    def by_application(change: Change) -> Iterable[Key]:
        if not _operation_ended(change):
            return []
        authorized = change.newest["metadata"].get("annotations", {}).get(ANNOTATION_AUTHORIZED_STAGE, "")
        project, _, stage = authorized.partition(":")
        return [
            Key.of(promotion)
            for promotion in promotions.list(project)
            if promotion["spec"]["stage"] == stage and phase(promotion) == "Running"
        ]

    return Controller(
        PromotionReconciler(kube, services, work_directories),
        wakes=any_of(generation_changed, annotation_changed(ANNOTATION_REFRESH, ANNOTATION_ABORT)),
        triggers=(Trigger(STAGES, _by_stage), Trigger(APPLICATIONS, by_application)),
        workers=_WORKERS,
    )


def _by_stage(change: Change) -> Iterable[Key]:
    """A Stage lets its current Promotion run."""
    current = _current_promotion(change.after)
    if not current or current == _current_promotion(change.before):
        return []
    return [Key(change.newest["metadata"]["namespace"], current)]


def _current_promotion(stage: Manifest | None) -> str:
    return str((stage or {}).get("status", {}).get("currentPromotion", {}).get("name", ""))


def _operation_ended(change: Change) -> bool:
    before, after = (_operation_phase(side) for side in (change.before, change.after))
    return bool(after) and after not in UNDER_WAY and (not before or before in UNDER_WAY)


def _operation_phase(application: Manifest | None) -> str:
    return str((application or {}).get("status", {}).get("operationState", {}).get("phase", ""))


def _ended_this_second(stage: Manifest) -> bool:
    """Whether the Stage's last Promotion ended in the second that this one would begin in.

    Times are whole seconds; argocd-update tells the operations of the two apart by them.
    """
    ended = stage.get("status", {}).get("lastPromotion", {}).get("finishedAt")
    return bool(ended) and parse_time(ended) == now()


def _collection(stage: Manifest, target: Manifest) -> Manifest:
    """The target, and for a Stage that takes more, what was brought into it last."""
    requested = [str(request.origin) for request in freight_requests(stage)]
    items: Manifest = {}
    if len(requested) > 1:
        last = stage.get("status", {}).get("lastPromotion", {}).get("status", {}).get("freightCollection", {})
        items = {origin: item for origin, item in last.get("items", {}).items() if origin in requested}
    items[str(Origin.of(target["origin"]))] = target
    return {"id": collection_id(item["name"] for item in items.values()), "items": items}


def _tell(progress: Progress, status: Manifest) -> None:
    """Put into a status how far the Promotion is; what is empty is left out."""
    fields = {
        "phase": progress.phase,
        "message": progress.message,
        "currentStep": progress.current_step,
        "stepExecutionMetadata": progress.records.all,
        "healthChecks": progress.health_checks,
    }
    for name, value in fields.items():
        if value:
            status[name] = value
        else:
            status.pop(name, None)
    if progress.state is not None:
        status["state"] = progress.state
