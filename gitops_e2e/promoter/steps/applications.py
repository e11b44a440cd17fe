"""Argo CD Applications as the argocd-update step sees them: who may sync them, and how their operations went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.kube import Kube, KubeError, Manifest, Ref, Resource
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import ANNOTATION_AUTHORIZED_STAGE, ANNOTATION_PROMOTION
from gitops_e2e.promoter.runtime.times import parse_time
from gitops_e2e.promoter.steps.model import StepError

APPLICATIONS = Resource("argoproj.io/v1alpha1", "Application", "applications", namespaced=True)
UNDER_WAY = frozenset({"Running", "Terminating"})
UNSUCCESSFUL = frozenset({"Failed", "Error"})


@dataclass(frozen=True)
class Initiator:
    """In whose name a Promotion syncs: its creator's, or the engine's."""

    promotion: str
    actor: str
    started_at: datetime

    @property
    def username(self) -> str:
        """The user name in the operation."""
        return self.actor or "kargo-controller"


@dataclass(frozen=True)
class Application:
    """An Application that a Stage may sync."""

    manifest: Manifest

    @staticmethod
    def authorized(kube: Kube, name: str, namespace: str, *, project: str, stage: str) -> Application:
        """The Application as it is now. Raises StepError where it is missing or not the Stage's to sync."""
        words = _words(name, namespace)
        try:
            manifest = _required(kube.find(Ref(APPLICATIONS.api_version, APPLICATIONS.kind, name, namespace)), words)
            _require_permission(manifest, words, project, stage)
        except StepError as error:
            raise StepError(f"error getting {words}: {error.what}") from error
        except KubeError as error:
            raise StepError(f"error getting {words}: {error.message}") from error
        return Application(manifest)

    def __str__(self) -> str:
        metadata = self.manifest["metadata"]
        return _words(metadata["name"], metadata["namespace"])

    @property
    def ref(self) -> Ref:
        """The name to patch it by."""
        return Ref.of(self.manifest)

    @property
    def sources(self) -> Sequence[Manifest]:
        """Where its manifests come from: one source, or several."""
        spec = self.manifest["spec"]
        return spec.get("sources") or [spec.get("source", {})]

    def phase_for(self, initiator: Initiator, desired: Sequence[str]) -> str | None:
        """The phase of the Promotion's operation, or of one that has to end first; None when it is to be started.

        `desired` has a revision for each source, empty for any.
        """
        if _promotion_of(self.manifest.get("operation", {})) == initiator.promotion:
            return "Running"  # asked for, and not yet begun
        state = self.manifest.get("status", {}).get("operationState", {})
        phase: str = state.get("phase", "")
        promotion = _promotion_of(state.get("operation", {}))
        if promotion == initiator.promotion:
            result = state.get("syncResult")
            return phase if phase in UNDER_WAY or (result and _matches(result, desired)) else None
        if promotion is None and self._was_synced_by(initiator, desired):
            return "Succeeded"
        return phase if phase in UNDER_WAY else None

    @property
    def operation_message(self) -> str:
        """What the last operation said of itself."""
        return str(self.manifest["status"]["operationState"].get("message", ""))

    def _was_synced_by(self, initiator: Initiator, desired: Sequence[str]) -> bool:
        """Whether the Promotion's operation succeeded before another took its place in the status.

        Argo CD's own automated sync can follow at once, and the engine may have been away. The Application belongs
        to one Stage, which has one Promotion at a time, so nobody else uses this user name here since it began.
        """
        return any(
            entry.get("initiatedBy", {}).get("username") == initiator.username
            and parse_time(entry.get("deployStartedAt") or entry["deployedAt"]) >= initiator.started_at
            and _matches(entry, desired)
            for entry in self.manifest.get("status", {}).get("history", [])
        )


def _words(name: str, namespace: str) -> str:
    return f"Argo CD Application {quote(name)} in namespace {quote(namespace)}"


def _required(manifest: Manifest | None, words: str) -> Manifest:
    if manifest is None:
        raise StepError(f"unable to find {words}")
    return manifest


def _require_permission(manifest: Manifest, words: str, project: str, stage: str) -> None:
    allowed = manifest["metadata"].get("annotations", {}).get(ANNOTATION_AUTHORIZED_STAGE)
    annotation = f"{quote(ANNOTATION_AUTHORIZED_STAGE)} ({quote(allowed or '')})"
    if allowed is not None and ":" not in allowed:
        raise StepError(f"unable to parse value of annotation {annotation} on {words}")
    if allowed is not None and "*" in allowed:
        raise StepError(f"{words} has deprecated glob expression in annotation {annotation}")
    if allowed != f"{project}:{stage}":
        raise StepError(f"{words} does not permit mutation by Kargo Stage {stage} in namespace {project}")


def _promotion_of(operation: Manifest) -> str | None:
    """The Promotion that an operation names."""
    return next((item["value"] for item in operation.get("info", []) if item["name"] == ANNOTATION_PROMOTION), None)


def _matches(synced: Manifest, desired: Sequence[str]) -> bool:
    """Whether a sync brought the desired revisions; it has one `revision`, or several."""
    revisions = synced.get("revisions") or [synced.get("revision")]
    return all(
        not wanted or (index < len(revisions) and revisions[index] == wanted) for index, wanted in enumerate(desired)
    )
