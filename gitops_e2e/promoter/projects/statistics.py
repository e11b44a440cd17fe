"""How many Stages and Warehouses a Project has, and how many of them are well."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.stages import is_control_flow
from gitops_e2e.promoter.runtime import get_condition


def statistics(stages: Iterable[Manifest], warehouses: Iterable[Manifest]) -> Manifest:
    """The `stats` of a Project's status; control-flow Stages do not count."""
    return {
        "stages": _counts([stage_is_healthy(stage) for stage in stages if not is_control_flow(stage)]),
        "warehouses": _counts([warehouse_is_healthy(warehouse) for warehouse in warehouses]),
    }


def stage_is_healthy(stage: Manifest) -> bool:
    """Whether the Stage's last health check was good."""
    return bool(stage.get("status", {}).get("health", {}).get("status") == "Healthy")


def warehouse_is_healthy(warehouse: Manifest) -> bool:
    """Whether the Warehouse found what it looks for."""
    condition = get_condition(warehouse.get("status", {}), "Healthy")
    return condition is not None and condition.status == "True"


def _counts(healthy: list[bool]) -> Manifest:
    return {"count": len(healthy), "health": {"healthy": sum(healthy)}}
