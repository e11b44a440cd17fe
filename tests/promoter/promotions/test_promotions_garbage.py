"""What is removed of old Promotions and Freight, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION, FREIGHTS, WAREHOUSES
from gitops_e2e.promoter.promotions import garbage, garbage_controllers
from gitops_e2e.promoter.promotions.garbage import superfluous
from gitops_e2e.promoter.runtime import Key, Manager, Stores, StoringKube, rfc3339

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _aged(days: int, *, needed: bool = False) -> dict[str, Any]:
    created = rfc3339(NOW - timedelta(days=days))
    return {"metadata": {"name": f"p{1000 - days}", "creationTimestamp": created}, "needed": needed}


@pytest.mark.parametrize(
    ("ages", "needed", "gone"),
    [
        (range(15, 45), (), range(35, 45)),
        (range(15, 45), (20,), range(41, 45)),
        (range(15, 45), (44,), ()),
        (range(30), (), range(20, 30)),
        (range(14), (), ()),
        ([*range(10), 14, *range(15, 30)], (), range(24, 30)),
    ],
)
def test_superfluous(ages: Any, needed: Any, gone: Any) -> None:
    objects = [_aged(days, needed=days in needed) for days in ages]
    found = superfluous(objects, lambda one: bool(one["needed"]), NOW)
    assert [one["metadata"]["name"] for one in found] == [_aged(days)["metadata"]["name"] for days in gone]


@pytest.mark.node
def test_old_freight_goes_unless_older_one_is_in_use(
    apiserver: Path, kube: Kube, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "_LEAST_AGE", timedelta(days=-1))
    _create(kube, namespace, "Warehouse", "w", spec={"subscriptions": [{"image": {"repoURL": "r"}}]})
    for number in range(25):
        _create(kube, namespace, "Freight", f"f{number:02}", origin={"kind": "Warehouse", "name": "w"})
    _use(kube, namespace, {"dev": {"since": rfc3339(NOW)}})
    storing = StoringKube(apiserver, Stores())
    _, controller = garbage_controllers(storing)
    manager = Manager(storing, [controller])
    manager.start()
    try:
        warehouse = storing.stores.of(WAREHOUSES).get(Key(namespace, "w"))
        assert warehouse is not None
        controller.reconciler.reconcile(warehouse)
        assert len(kube.list(FREIGHTS, namespace)) == 25
        _use(storing, namespace, None)
        controller.reconciler.reconcile(warehouse)
        assert [one["metadata"]["name"] for one in kube.list(FREIGHTS, namespace)] == [f"f{n:02}" for n in range(5, 25)]
    finally:
        manager.stop(within=10)


def _create(kube: Kube, namespace: str, kind: str, name: str, **fields: Any) -> None:
    metadata = {"name": name, "namespace": namespace}
    kube.create({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields})


def _use(kube: Kube, namespace: str, stages: dict[str, Any] | None) -> None:
    """Say that the oldest but four is in use."""
    ref = Ref(API_VERSION, "Freight", "f04", namespace)
    kube.patch(ref, {"status": {"currentlyIn": stages}}, subresource="status")
