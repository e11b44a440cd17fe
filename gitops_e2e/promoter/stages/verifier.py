"""Has the Freight in a Stage verified (behaviour file, 3.7)."""

from __future__ import annotations

import uuid
from datetime import datetime

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import ANNOTATION_PROMOTION, ANNOTATION_REVERIFY, FREIGHTS
from gitops_e2e.promoter.api.requests import Request, abort_verification_request, reverify_request
from gitops_e2e.promoter.runtime import EventRecorder, Key, StoringKube, freight_annotations, rfc3339
from gitops_e2e.promoter.stages.analysis_runs import AnalysisRuns, CannotVerify
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.verification import HISTORY_MAX, TERMINAL, judge

_EVENT_REASONS = {
    "Successful": "FreightVerificationSucceeded",
    "Failed": "FreightVerificationFailed",
    "Error": "FreightVerificationErrored",
    "Aborted": "FreightVerificationAborted",
    "Inconclusive": "FreightVerificationInconclusive",
}


class Verifier:
    """Starts, follows and ends the verifications of Freight collections."""

    def __init__(self, kube: StoringKube, runs: AnalysisRuns, recorder: EventRecorder) -> None:
        self._freights = kube.stores.of(FREIGHTS)
        self._runs = runs
        self._recorder = recorder

    def verify(self, draft: Draft, now: datetime) -> None:
        """Bring the verification history and the Verified condition up to date."""
        if draft.collection is not None:
            if "currentPromotion" in draft.status:
                return
            if verification := self._next(draft, draft.collection, now):
                _note(draft.collection, verification)
                if verification["phase"] in TERMINAL:
                    self.record(draft, draft.collection, verification)
        judge(draft)

    def record(self, draft: Draft, collection: Manifest, verification: Manifest) -> None:
        """Record the event that tells of a verification's end, on each piece of Freight."""
        phase = verification["phase"]
        reason = _EVENT_REASONS[phase]
        message = "Freight verification succeeded" if phase == "Successful" else verification.get("message", "")
        about = {
            "project": draft.namespace,
            "stage-name": draft.name,
            "actor": verification.get("actor") or f"controller:{self._recorder.component}",
            "verification-start-time": verification["startTime"],
            "verification-finish-time": verification["finishTime"],
        }
        if run := self._runs.find(verification):
            about["analysis-run-name"] = run["metadata"]["name"]
            if promotion := run["metadata"].get("annotations", {}).get(ANNOTATION_PROMOTION):
                about["promotion-name"] = promotion
        for item in collection["items"].values():
            if freight := self._freights.get(Key(draft.namespace, item["name"])):
                self._recorder.record(freight, reason, message, about | freight_annotations(freight))

    # --- one step

    def _next(self, draft: Draft, collection: Manifest, now: datetime) -> Manifest | None:
        """The verification that began or went on, None when there is nothing to do."""
        latest = draft.verifications[0] if draft.verifications else None
        request = reverify_request(draft.stage)
        if latest and latest["phase"] not in TERMINAL:
            return self._followed(draft, latest, now)
        if latest and not (request and request.subject == latest["id"]):
            return None
        if draft.status.get("health", {}).get("status") != "Healthy":
            return None
        return self._started(draft, collection, request if latest else None, now)

    def _followed(self, draft: Draft, verification: Manifest, now: datetime) -> Manifest:
        run = self._runs.find(verification)
        aborted = abort_verification_request(draft.stage)
        if aborted and aborted.subject == verification["id"]:
            if run is not None:
                self._runs.terminate(run)
            end = {"phase": "Failed", "message": "Verification aborted by user", "finishTime": rfc3339(now)}
            return {**verification, **end}
        if run is None:
            reference = verification["analysisRun"]
            missing = f'unable to find AnalysisRun "{reference["name"]}" in namespace "{reference["namespace"]}"'
            return {**verification, "phase": "Error", "message": missing, "finishTime": rfc3339(now)}
        return {**_without_outcome(verification), **_outcome(run)}

    def _started(self, draft: Draft, collection: Manifest, request: Request | None, now: datetime) -> Manifest:
        began: Manifest = {"id": str(uuid.uuid4()), "startTime": rfc3339(now)}
        if request and request.actor:
            began["actor"] = request.actor
        if "verification" not in draft.stage["spec"]:
            return {**began, "phase": "Successful", "finishTime": rfc3339(now)}
        # Any request, even one that was served long ago, keeps Kargo from using an old run again.
        if ANNOTATION_REVERIFY not in draft.stage["metadata"].get("annotations", {}) and (
            run := self._runs.newest(draft, collection["id"])
        ):
            return {**began, **_outcome(run)}
        try:
            run = self._runs.create(draft, collection, promotion=_promotion(draft, request))
        except CannotVerify as error:
            return {**began, "phase": "Error", "message": error.what, "finishTime": rfc3339(now)}
        created = run["metadata"]["creationTimestamp"]
        return {**began, **_outcome(run), "phase": "Pending", "finishTime": created}


def _promotion(draft: Draft, request: Request | None) -> str | None:
    """The Promotion that brought a verification about: not when a person asked for it to be repeated."""
    if request is None or (request.control_plane and request.actor):
        name: str | None = draft.status.get("lastPromotion", {}).get("name")
        return name
    return None


def _note(collection: Manifest, verification: Manifest) -> None:
    history = collection.setdefault("verificationHistory", [])
    ids = [entry["id"] for entry in history]
    if verification["id"] in ids:
        history[ids.index(verification["id"])] = verification
    else:
        collection["verificationHistory"] = [verification, *history][:HISTORY_MAX]


def _without_outcome(verification: Manifest) -> Manifest:
    return {key: value for key, value in verification.items() if key not in {"phase", "message", "finishTime"}}


def _outcome(run: Manifest) -> Manifest:
    """What an AnalysisRun says about a verification."""
    metadata, status = run["metadata"], run.get("status", {})
    phase = status.get("phase", "")
    outcome: Manifest = {
        "phase": phase,
        "analysisRun": {"name": metadata["name"], "namespace": metadata["namespace"], "phase": phase},
    }
    if message := status.get("message"):
        outcome["message"] = message
    if phase in TERMINAL:
        measured = [
            measurement["finishedAt"]
            for result in status.get("metricResults", [])
            for measurement in result.get("measurements", [])
            if measurement.get("finishedAt")
        ]
        outcome["finishTime"] = max(measured, default=status.get("completedAt") or metadata["creationTimestamp"])
    return outcome
