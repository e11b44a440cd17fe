"""What is done before a Stage goes (behaviour file, 3.13)."""

from __future__ import annotations

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.freights import without_stage
from gitops_e2e.promoter.api.kinds import FINALIZER
from gitops_e2e.promoter.runtime import Store
from gitops_e2e.promoter.stages.analysis_runs import AnalysisRuns


def take_leave(stage: Manifest, kube: Kube, freights: Store, runs: AnalysisRuns) -> None:
    """Remove the Stage's traces from Freight, and its AnalysisRuns; then let it go."""
    metadata = stage["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    for freight in freights.list(namespace):
        status = freight.get("status", {})
        traces: Manifest = {
            field: without_stage(freight, field, name)
            for field in ("verifiedIn", "approvedFor")
            if name in status.get(field, {})
        }
        if traces:
            kube.patch(Ref.of(freight), {"status": traces}, subresource="status")
    for run in runs.of_stage(namespace, name):
        kube.delete(Ref.of(run))
    set_finalizers(stage, kube, [one for one in metadata.get("finalizers", []) if one != FINALIZER])


def set_finalizers(stage: Manifest, kube: Kube, finalizers: list[str]) -> None:
    """Write the finalizers of a Stage; Conflict is raised when somebody else changed it in between."""
    precondition = {"resourceVersion": stage["metadata"]["resourceVersion"]}
    kube.patch(Ref.of(stage), {"metadata": {**precondition, "finalizers": finalizers}})
