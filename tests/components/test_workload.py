from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.components.workload import Workload, is_rolled_out
from gitops_e2e.watching import Met, Pending
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
