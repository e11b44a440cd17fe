"""Which pod is taken of those that a workload or a Service selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from gitops_e2e.kube import PODS, Kube, Manifest, NoRunningPod, Resource, running_pod

_LABELS = {"app": "shop", "tier": "front"}


@dataclass(frozen=True)
class _Pods:
    """Stands in for an API server that has these pods with the labels."""

    pods: tuple[Manifest, ...]

    def list(self, resource: Resource, namespace: str, labels: str) -> list[Manifest]:
        assert (resource, namespace, labels) == (PODS, "sales", "app=shop,tier=front")
        return [*self.pods]


def _pod(name: str, created: int, phase: str = "Running", *, going: bool = False) -> Manifest:
    metadata = {"name": name, "creationTimestamp": f"2024-01-01T00:00:{created:02}Z"}
    if going:
        metadata["deletionTimestamp"] = "2024-01-01T00:01:00Z"
    return {"metadata": metadata, "status": {"phase": phase}}


def _taken(*pods: Manifest) -> str:
    pod = running_pod(cast(Kube, _Pods(pods)), "sales", _LABELS, of="the shop")
    return str(pod["metadata"]["name"])


def test_the_newest_of_those_that_run() -> None:
    assert _taken(_pod("old", 1), _pod("new", 2), _pod("older", 0)) == "new"


def test_none_that_does_not_run_yet_or_any_more() -> None:
    pods = _pod("runs", 0), _pod("starts", 1, "Pending"), _pod("evicted", 2, "Failed"), _pod("goes", 3, going=True)
    assert _taken(*pods) == "runs"


@pytest.mark.parametrize("pods", [(), (_pod("starts", 1, "Pending"), _pod("goes", 0, going=True))])
def test_without_one_the_error_says_of_what_and_where(pods: tuple[Manifest, ...]) -> None:
    with pytest.raises(NoRunningPod, match="the shop has no running pod") as refused:
        _taken(*pods)
    assert refused.value.where == "namespace sales, pods with app=shop,tier=front"
