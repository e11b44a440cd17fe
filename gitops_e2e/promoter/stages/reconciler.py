"""The Stage reconciler: one pass over a Stage, in Kargo's order (behaviour file, 3.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, NotFound, Ref, Resource
from gitops_e2e.promoter.api.freights import is_verified_in
from gitops_e2e.promoter.api.kinds import (
    ANNOTATION_ARGOCD_CONTEXT,
    ANNOTATION_REFRESH,
    FINALIZER,
    FREIGHTS,
    PROJECT_CONFIGS,
    PROMOTIONS,
    STAGES,
    WAREHOUSES,
)
from gitops_e2e.promoter.api.policies import auto_promotion_enabled
from gitops_e2e.promoter.api.stages import is_control_flow
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions import ApplicationNames
from gitops_e2e.promoter.runtime import (
    Controller,
    EventRecorder,
    Key,
    StoringKube,
    patch_status,
    promotion_annotations,
    rfc3339,
)
from gitops_e2e.promoter.stages import auto_promotion, control_flow, health, promotion_queue, readiness, residence
from gitops_e2e.promoter.stages.analysis_runs import AnalysisRuns
from gitops_e2e.promoter.stages.deletion import set_finalizers, take_leave
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.health import HealthUnknown
from gitops_e2e.promoter.stages.triggers import triggers, wakes
from gitops_e2e.promoter.stages.verification import is_verifying
from gitops_e2e.promoter.stages.verifier import Verifier
from gitops_e2e.promoter.steps.applications import APPLICATIONS

COMPONENT = "stage-controller"

_REGULAR_SECONDS = 300.0
_SOON_SECONDS = 0.1
_WORKERS = 4

Step = Callable[[Draft], None]


class StageReconciler:
    """Takes over what Promotions came to, assesses health, has Freight verified, and promotes by policy."""

    resource: Resource = STAGES

    def __init__(self, kube: StoringKube, evaluator: Evaluator, application_names: ApplicationNames) -> None:
        self._kube = kube
        self._application_names = application_names
        self._stages = kube.stores.of(STAGES)
        self._promotions = kube.stores.of(PROMOTIONS)
        self._freights = kube.stores.of(FREIGHTS)
        self._configs = kube.stores.of(PROJECT_CONFIGS)
        self._applications = kube.stores.of(APPLICATIONS)
        kube.stores.of(WAREHOUSES)
        self._recorder = EventRecorder(kube, COMPONENT)
        self._runs = AnalysisRuns(kube, evaluator)
        self._verifier = Verifier(kube, self._runs, self._recorder)

    def reconcile(self, manifest: Manifest) -> float | None:
        """One pass over a Stage."""
        metadata = manifest["metadata"]
        if "deletionTimestamp" in metadata:
            if FINALIZER in metadata.get("finalizers", []):
                take_leave(manifest, self._kube, self._freights, self._runs)
            return None
        if FINALIZER not in metadata.get("finalizers", []):
            set_finalizers(manifest, self._kube, [*metadata.get("finalizers", []), FINALIZER])
            return _SOON_SECONDS
        draft = Draft.of(manifest)
        try:
            if is_control_flow(manifest):
                self._hand_on(draft)
                return None
            return self._pass(draft)
        finally:
            self._finish(draft)

    # --- a Stage with steps

    def _pass(self, draft: Draft) -> float:
        for step in (
            self._synchronize_promotions,
            self._synchronize_freight,
            self._assess_health,
            self._verify,
            self._mark_verified,
            self._promote,
        ):
            try:
                step(draft)
            except HealthUnknown as unknown:
                # Kargo tries again and again; here an event or the end of the cool-down brings the next look.
                readiness.summarize_error(draft, unknown.what)
                return _REGULAR_SECONDS if unknown.settles_in is None else unknown.settles_in
            except HarnessError as error:
                readiness.summarize_error(draft, error.what)
                raise
            readiness.summarize(draft)
            patch_status(self._kube, draft.stage, draft.status)
        draft.remove("Reconciling")
        waiting = promotion_queue.is_waiting(draft, self._promotions_of(draft))
        return _SOON_SECONDS if waiting else _REGULAR_SECONDS

    def _synchronize_promotions(self, draft: Draft) -> None:
        promotion_queue.synchronize(draft, self._promotions_of(draft))
        self._annotate_applications(draft)

    def _synchronize_freight(self, draft: Draft) -> None:
        residence.synchronize(draft, self._freights, self._kube, self._now())

    def _assess_health(self, draft: Draft) -> None:
        health.assess(draft, self._applications.get, self._now())

    def _verify(self, draft: Draft) -> None:
        self._verifier.verify(draft, self._now())

    def _mark_verified(self, draft: Draft) -> None:
        """Note on the Freight that its latest verification was successful."""
        healthy = draft.status.get("health", {}).get("status") == "Healthy"
        if not healthy or draft.collection is None or not draft.verifications or is_verifying(draft):
            return
        latest = draft.verifications[0]
        if latest["phase"] != "Successful":
            return
        for item in draft.collection["items"].values():
            freight = self._freights.get(Key(draft.namespace, item["name"]))
            if freight is not None and not is_verified_in(freight, draft.name):
                verified = {"verifiedIn": {draft.name: {"verifiedAt": latest["finishTime"]}}}
                self._kube.patch(Ref.of(freight), {"status": verified}, subresource="status")

    def _promote(self, draft: Draft) -> None:
        """Create the Promotions that the Project's policies ask for."""
        config = self._configs.get(Key(draft.namespace, draft.namespace))
        if not auto_promotion_enabled(config, draft.stage):
            draft.status.pop("autoPromotionEnabled", None)
            return
        draft.status["autoPromotionEnabled"] = True
        promotions = self._promotions_of(draft)
        for freight in auto_promotion.candidates(draft, promotions, self._kube.stores, self._now()):
            promotion = auto_promotion.create_promotion(self._kube, draft, freight)
            applications = self._application_names(promotion, freight)
            about = promotion_annotations(promotion, freight, applications, actor=f"controller:{COMPONENT}")
            self._recorder.record(promotion, "PromotionCreated", auto_promotion.message(draft, freight), about)

    # --- a control-flow Stage

    def _hand_on(self, draft: Draft) -> None:
        now = self._now()
        moment = rfc3339(now)
        for freight in control_flow.hand_on(draft, self._kube, now):
            collection = {"items": {"": {"name": freight["metadata"]["name"]}}}
            success = {"phase": "Successful", "startTime": moment, "finishTime": moment}
            self._verifier.record(draft, collection, success)

    # --- both

    def _finish(self, draft: Draft) -> None:
        """Write what is left to be written, and that the refresh was seen to."""
        if token := draft.stage["metadata"].get("annotations", {}).get(ANNOTATION_REFRESH):
            draft.status["lastHandledRefresh"] = token
        try:
            patch_status(self._kube, draft.stage, draft.status)
        except NotFound:
            pass  # it was deleted meanwhile

    def _annotate_applications(self, draft: Draft) -> None:
        """Name the Applications of the last successful Promotion in an annotation, as JSON."""
        last = draft.status.get("lastPromotion", {}).get("status", {})
        if last.get("phase") != "Succeeded":
            return
        named = [
            {"name": app["name"], "namespace": app["namespace"]}
            for check in last.get("healthChecks", [])
            for app in check["config"]["apps"]
        ]
        wanted = json.dumps(named, separators=(",", ":")) if named else None
        if draft.stage["metadata"].get("annotations", {}).get(ANNOTATION_ARGOCD_CONTEXT) != wanted:
            self._kube.patch(Ref.of(draft.stage), {"metadata": {"annotations": {ANNOTATION_ARGOCD_CONTEXT: wanted}}})

    def _promotions_of(self, draft: Draft) -> list[Manifest]:
        found = self._promotions.list(draft.namespace)
        return [promotion for promotion in found if promotion["spec"]["stage"] == draft.name]

    @staticmethod
    def _now() -> datetime:
        return datetime.now(UTC)


def stage_controller(kube: StoringKube, evaluator: Evaluator, application_names: ApplicationNames) -> Controller:
    """The controller of Stages."""
    reconciler = StageReconciler(kube, evaluator, application_names)
    return Controller(reconciler, wakes=wakes, triggers=triggers(kube.stores), workers=_WORKERS)
