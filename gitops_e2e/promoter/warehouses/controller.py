"""The Warehouse controller, put together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gitops_e2e.kube import Kube
from gitops_e2e.promoter.api.kinds import ANNOTATION_REFRESH
from gitops_e2e.promoter.credentials import Logins
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.runtime import Controller, annotation_changed, any_of, generation_changed
from gitops_e2e.promoter.warehouses.artifacts import Discovery
from gitops_e2e.promoter.warehouses.clones import Clones
from gitops_e2e.promoter.warehouses.commits import CommitSearch
from gitops_e2e.promoter.warehouses.images import ImageSearch
from gitops_e2e.promoter.warehouses.reconciler import WarehouseReconciler

MINIMUM_INTERVAL = timedelta(minutes=5)
"""Kargo's default of MIN_WAREHOUSE_RECONCILIATION_INTERVAL: however short its own interval, no Warehouse looks
more often, unless it is refreshed."""

_AT_ONCE = 4


def warehouse_controller(
    kube: Kube,
    evaluator: Evaluator,
    *,
    git_logins: Logins,
    image_logins: Logins,
    work_dir: Path,
    minimum_interval: timedelta = MINIMUM_INTERVAL,
) -> Controller:
    """Looks after Warehouses. Clones are made below `work_dir`, and what an earlier process left there is removed."""
    discovery = Discovery(CommitSearch(git_logins, Clones(work_dir), evaluator), ImageSearch(image_logins))
    return Controller(
        WarehouseReconciler(kube, discovery, evaluator, minimum_interval=minimum_interval),
        wakes=any_of(generation_changed, annotation_changed(ANNOTATION_REFRESH)),
        workers=_AT_ONCE,
    )
