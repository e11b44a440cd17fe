from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.components.workload import Workload, is_rolled_out
from gitops_e2e.pipeline.pods import Pod
from gitops_e2e.watching import Impossible, Met, Pending
from gitops_e2e.watching.expectation import History, Moment, Verdict


def workload(generation: int = 2, **status: Any) -> Workload | Pending:
    return Workload.read({"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": status})


def verdict(reading: Workload) -> Verdict:
    moment = Moment(reading, 0.0)
    return is_rolled_out().over(History(moment, lambda: [moment], asked=0.0, now=0.0))


def test_an_old_generation_is_no_answer() -> None:
    assert isinstance(workload(observedGeneration=1, updatedReplicas=2, availableReplicas=2), Pending)
    assert isinstance(workload(), Pending)


@pytest.mark.parametrize(
    ("updated", "available", "expected"), [(2, 2, Met), (1, 2, Pending), (2, 1, Pending), (None, None, Pending)]
)
def test_all_pods_must_be_new_and_available(updated: int | None, available: int | None, expected: type) -> None:
    reading = workload(observedGeneration=2, updatedReplicas=updated, availableReplicas=available)
    assert isinstance(reading, Workload)
    assert isinstance(verdict(reading), expected)


def test_an_image_that_is_missing_is_named_and_ends_the_wait() -> None:
    waiting = {"reason": "ErrImageNeverPull", "message": "image gitops-e2e.local/argocd:v9 is not present"}
    status = {"containerStatuses": [{"name": "server", "ready": False, "state": {"waiting": waiting}}]}
    pod = Pod.of({"metadata": {"name": "argocd-0"}, "spec": {"containers": []}, "status": status})
    reading = Workload.read({"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1}}, (pod,))
    assert isinstance(reading, Workload)
    moment = Moment(reading, 0.0)
    judged = is_rolled_out().over(History(moment, lambda: [moment], asked=0.0, now=3600.0))
    assert isinstance(judged, Impossible)
    assert "gitops-e2e.local/argocd:v9 is not present" in judged.observed
