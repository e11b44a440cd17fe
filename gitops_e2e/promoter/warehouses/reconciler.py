"""The Warehouse reconciler (behaviour file, 2.1 and 2.2)."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

from gitops_e2e.kube import AlreadyExists, Kube, KubeError, Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import ANNOTATION_REFRESH, WAREHOUSES
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.runtime import (
    Condition,
    parse_duration,
    parse_time,
    patch_status,
    remove_condition,
    set_condition,
)
from gitops_e2e.promoter.warehouses.artifacts import Discovery, DiscoveryFailed, missing, newest_freight
from gitops_e2e.promoter.warehouses.criteria import CriteriaFailed, are_met

_CRITERIA, _CREATED = "FreightCreationCriteriaSatisfied", "FreightCreated"
_SHORTEST_PAUSE = 0.1


class WarehouseReconciler:
    """Looks for artifacts when it is time to, and makes Freight of the newest."""

    resource = WAREHOUSES

    def __init__(self, kube: Kube, discovery: Discovery, evaluator: Evaluator, *, minimum_interval: timedelta) -> None:
        self._kube = kube
        self._discovery = discovery
        self._evaluator = evaluator
        self._minimum_interval = minimum_interval

    def reconcile(self, manifest: Manifest) -> float | None:
        """One pass over a Warehouse."""
        if "deletionTimestamp" in manifest["metadata"]:
            return None
        status = copy.deepcopy(manifest.get("status", {}))
        if _is_due(manifest):
            self._discover(manifest, status)
        self._make_freight(manifest, status)
        patch_status(self._kube, manifest, status)
        return self._pause(manifest)

    def _discover(self, warehouse: Manifest, status: Manifest) -> None:
        """Look for artifacts, and tell that it is being done."""
        count = len(warehouse["spec"]["subscriptions"])
        remove_condition(status, _CRITERIA, _CREATED)
        _set(
            warehouse,
            status,
            Condition("Reconciling", "True", "ScheduledDiscovery", f"Discovering artifacts for {count} subscriptions"),
            Condition("Ready", "False", "DiscoveryInProgress", "Waiting for discovery to complete"),
            Condition(
                "Healthy",
                "Unknown",
                "Pending",
                "Health status cannot be determined until artifact discovery is finished",
            ),
        )
        patch_status(self._kube, warehouse, status)
        if refresh := _refresh(warehouse):
            status["lastHandledRefresh"] = refresh
        try:
            status["discoveredArtifacts"] = self._discovery.discover(warehouse)
        except DiscoveryFailed as error:
            _set(
                warehouse,
                status,
                Condition("Ready", "False", "DiscoveryFailure", f"Artifact discovery failed: {error.what}"),
                Condition("Healthy", "False", "DiscoveryFailed", f"Unable to discover artifacts: {error.what}"),
            )
            patch_status(self._kube, warehouse, status)
            raise

    def _make_freight(self, warehouse: Manifest, status: Manifest) -> None:
        artifacts = status["discoveredArtifacts"]
        if nothing := missing(artifacts):
            ready = Condition("Ready", "False", nothing.ready_reason, nothing.message)
            healthy = Condition("Healthy", "False", nothing.healthy_reason, nothing.message)
        else:
            ready, healthy = self._follow_policy(warehouse, status)
        _set(warehouse, status, ready, healthy)
        remove_condition(status, "Reconciling")
        status["observedGeneration"] = warehouse["metadata"]["generation"]

    def _follow_policy(self, warehouse: Manifest, status: Manifest) -> tuple[Condition, Condition]:
        """Make Freight if that is wanted. Gives the conditions Ready and Healthy."""
        if warehouse["spec"]["freightCreationPolicy"] == "Automatic":
            try:
                met = are_met(self._evaluator, warehouse, status["discoveredArtifacts"])
            except CriteriaFailed as error:
                reason, message = (
                    "CriteriaEvaluationFailed",
                    f"Evaluation of Freight creation criteria failed: {error.what}",
                )
                return Condition("Ready", "False", reason, message), Condition("Healthy", "False", reason, message)
            if met:
                satisfied = Condition(_CRITERIA, "True", "CriteriaSatisfied", "Freight creation criteria satisfied")
                _set(warehouse, status, satisfied)
                self._create_freight(warehouse, status)
            else:
                message = "Freight creation criteria were not satisfied"
                _set(warehouse, status, Condition(_CRITERIA, "False", "CriteriaNotSatisfied", message))
        count = len(warehouse["spec"]["subscriptions"])
        message = f"Successfully discovered artifacts from {count} subscriptions"
        return Condition("Ready", "True", "ArtifactsDiscovered", message), Condition(
            "Healthy", "True", "ReconciliationSucceeded"
        )

    def _create_freight(self, warehouse: Manifest, status: Manifest) -> None:
        freight = newest_freight(warehouse, status["discoveredArtifacts"])
        try:
            self._kube.create(freight)
            message = "No Freight composed of the newest artifacts already existed"
            created = Condition(_CREATED, "True", "NewFreight", message)
        except AlreadyExists:
            message = "Freight composed of the newest artifacts already exists"
            created = Condition(_CREATED, "False", "AlreadyExists", message)
        except KubeError as error:
            metadata = freight["metadata"]
            where = f"Freight {quote(metadata['name'])} in namespace {quote(metadata['namespace'])}"
            message = f"Error creating {where}: {error.message}"
            _set(
                warehouse,
                status,
                Condition("Ready", "False", "FreightCreationFailure", message),
                Condition("Healthy", "False", "FreightBuildFailure", message),
            )
            patch_status(self._kube, warehouse, status)
            raise
        _set(warehouse, status, created)
        # Kargo names one here that does not exist, when there was nothing to create; nobody can want that.
        status["lastFreightID"] = freight["metadata"]["name"]

    def _pause(self, warehouse: Manifest) -> float:
        """The seconds until the next look."""
        interval = max(_interval(warehouse), self._minimum_interval)
        due = parse_time(warehouse["status"]["discoveredArtifacts"]["discoveredAt"]) + interval
        return max((due - datetime.now(UTC)).total_seconds(), _SHORTEST_PAUSE)


def _is_due(warehouse: Manifest) -> bool:
    """Whether artifacts must be looked for; what is known is good enough otherwise."""
    status = warehouse.get("status", {})
    artifacts = status.get("discoveredArtifacts")
    if artifacts is None or warehouse["metadata"]["generation"] > status.get("observedGeneration", 0):
        return True
    refresh = _refresh(warehouse)
    if refresh and refresh != status.get("lastHandledRefresh"):
        return True
    return parse_time(artifacts["discoveredAt"]) + _interval(warehouse) < datetime.now(UTC)


def _interval(warehouse: Manifest) -> timedelta:
    return parse_duration(warehouse["spec"]["interval"])


def _refresh(warehouse: Manifest) -> str:
    return str(warehouse["metadata"].get("annotations", {}).get(ANNOTATION_REFRESH, ""))


def _set(warehouse: Manifest, status: Manifest, *conditions: Condition) -> None:
    for condition in conditions:
        set_condition(status, condition, generation=warehouse["metadata"]["generation"])
