from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.components.workload import Workload, has_replaced, is_rolled_out
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
    ("there", "updated", "available", "expected"),
    [(2, 2, 2, Met), (2, 1, 2, Pending), (2, 2, 1, Pending), (3, 2, 2, Pending), (None, None, None, Pending)],
)
def test_all_pods_must_be_new_and_available(
    there: int | None, updated: int | None, available: int | None, expected: type
) -> None:
    reading = workload(observedGeneration=2, replicas=there, updatedReplicas=updated, availableReplicas=available)
    assert isinstance(reading, Workload)
    assert isinstance(verdict(reading), expected)


def test_what_is_scaled_to_zero_is_not_ready_and_will_not_become_so() -> None:
    reading = Workload.read(
        {"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}}
    )
    assert isinstance(reading, Workload)
    assert verdict(reading) == Impossible("it is scaled to 0: no pod of it is wanted")


def after_a_kill(*pods: tuple[str, bool]) -> Verdict:
    """What is said of an engine of one pod, whose pod "old" was killed; pods by uid, ready or not."""
    ready = {True: [{"type": "Ready", "status": "True"}], False: []}
    found = tuple(
        Pod.of({"metadata": {"name": uid, "uid": uid}, "status": {"conditions": ready[is_ready]}})
        for uid, is_ready in pods
    )
    # The Deployment's counts are from before the kill.
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    reading = Workload.read({"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": status}, found)
    assert isinstance(reading, Workload)
    moment = Moment(reading, 0.0)
    return has_replaced({"old"}).over(History(moment, lambda: [moment], asked=0.0, now=0.0))


def test_what_was_killed_is_back_when_a_new_pod_is_ready() -> None:
    assert isinstance(after_a_kill(("new", True)), Met)


@pytest.mark.parametrize("pods", [[("old", True)], [], [("new", False)], [("old", True), ("new", True)]])
def test_what_was_killed_is_not_back_before(pods: list[tuple[str, bool]]) -> None:
    assert isinstance(after_a_kill(*pods), Pending)


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
