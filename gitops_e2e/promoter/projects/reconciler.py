"""The Project reconciler (behaviour file, 1.4)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from gitops_e2e.kube import KubeError, Manifest
from gitops_e2e.promoter.api.kinds import PROJECTS, STAGES, WAREHOUSES
from gitops_e2e.promoter.projects.finalizers import add_finalizer, has_finalizer, remove_finalizer
from gitops_e2e.promoter.projects.namespaces import MissingLabel, ensure_namespace, release_namespace
from gitops_e2e.promoter.projects.statistics import stage_is_healthy, statistics, warehouse_is_healthy
from gitops_e2e.promoter.runtime import (
    Change,
    Condition,
    Controller,
    Key,
    StoringKube,
    Trigger,
    get_condition,
    patch_status,
    remove_condition,
    set_condition,
)

_REGULAR_SECONDS = 300.0
_SYNCING = "Ensuring project namespace and permissions"


class ProjectReconciler:
    """Gives a Project its namespace and counts what is in it."""

    resource = PROJECTS

    def __init__(self, kube: StoringKube) -> None:
        self._kube = kube
        self._stages = kube.stores.of(STAGES)
        self._warehouses = kube.stores.of(WAREHOUSES)

    def reconcile(self, manifest: Manifest) -> float | None:
        """One pass over a Project."""
        if "deletionTimestamp" in manifest["metadata"]:
            if has_finalizer(manifest):
                release_namespace(self._kube, manifest)
                remove_finalizer(self._kube, manifest)
            return None
        add_finalizer(self._kube, manifest)
        self._announce(manifest)
        self._ensure_namespace(manifest)
        self._finish(manifest)
        return _REGULAR_SECONDS

    def _announce(self, project: Manifest) -> None:
        """Say of a new Project that it is being worked on."""
        status = copy.deepcopy(project.get("status", {}))
        if get_condition(status, "Ready") is None:
            _set(project, status, Condition("Ready", "False", "Syncing", _SYNCING))
            _set(project, status, Condition("Reconciling", "True", "Syncing", _SYNCING))
            patch_status(self._kube, project, status)

    def _ensure_namespace(self, project: Manifest) -> None:
        try:
            ensure_namespace(self._kube, project)
        except (MissingLabel, KubeError) as error:
            status = copy.deepcopy(project["status"])
            message = f"Failed to ensure existence of project namespace: {error.what}"
            _set(project, status, Condition("Ready", "False", "EnsuringNamespaceFailed", message))
            if isinstance(error, MissingLabel):
                _set(project, status, Condition("Stalled", "True", "ExistingNamespaceMissingLabel", error.what))
            patch_status(self._kube, project, status)
            raise

    def _finish(self, project: Manifest) -> None:
        name = project["metadata"]["name"]
        status = copy.deepcopy(project["status"])
        remove_condition(status, "Reconciling", "Stalled")
        _set(project, status, Condition("Ready", "True", "Synced", "Project is synced and ready for use"))
        status["stats"] = statistics(self._stages.list(name), self._warehouses.list(name))
        patch_status(self._kube, project, status)


def project_controller(kube: StoringKube) -> Controller:
    """Looks after Projects; their Stages and Warehouses wake it when they come, go, or change health."""
    triggers = (
        Trigger(STAGES, _when_changed(stage_is_healthy)),
        Trigger(WAREHOUSES, _when_changed(warehouse_is_healthy)),
    )
    return Controller(ProjectReconciler(kube), triggers=triggers)


def _when_changed(is_healthy: Callable[[Manifest], bool]) -> Callable[[Change], Iterable[Key]]:
    def keys(change: Change) -> Iterable[Key]:
        before, after = change.before, change.after
        same = before is not None and after is not None and is_healthy(before) == is_healthy(after)
        return [] if same else [Key("", change.newest["metadata"]["namespace"])]

    return keys


def _set(project: Manifest, status: Manifest, condition: Condition) -> None:
    set_condition(status, condition, generation=project["metadata"]["generation"])
