"""The ProjectConfig reconciler (behaviour file, 1.5)."""

from __future__ import annotations

import copy

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.kinds import ANNOTATION_REFRESH, PROJECT_CONFIGS
from gitops_e2e.promoter.runtime import (
    Condition,
    Controller,
    annotation_changed,
    any_of,
    generation_changed,
    patch_status,
    set_condition,
)

_REGULAR_SECONDS = 300.0


class ProjectConfigReconciler:
    """Acknowledges a ProjectConfig: its policies are read by the Stages whenever they are looked at."""

    resource = PROJECT_CONFIGS

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def reconcile(self, manifest: Manifest) -> float | None:
        """One pass over a ProjectConfig."""
        generation = manifest["metadata"]["generation"]
        status = copy.deepcopy(manifest.get("status", {}))
        synced = Condition("Ready", "True", "Synced", "ProjectConfig is synced and ready for use")
        set_condition(status, synced, generation=generation)
        status["observedGeneration"] = generation
        if refresh := manifest["metadata"].get("annotations", {}).get(ANNOTATION_REFRESH):
            status["lastHandledRefresh"] = refresh
        patch_status(self._kube, manifest, status)
        return _REGULAR_SECONDS


def config_controller(kube: Kube) -> Controller:
    """Looks after ProjectConfigs."""
    wakes = any_of(generation_changed, annotation_changed(ANNOTATION_REFRESH))
    return Controller(ProjectConfigReconciler(kube), wakes=wakes)
