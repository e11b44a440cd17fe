"""The pod that runs for what selects pods by their labels: a workload, a Service."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube.client import Kube
from gitops_e2e.kube.objects import PODS, Manifest


class NoRunningPod(HarnessError):
    """Of all pods with the labels none runs, or only such as are about to go."""


def running_pod(kube: Kube, namespace: str, labels: Mapping[str, str], *, of: str) -> Manifest:
    """The newest pod with these labels that runs and is not about to go.

    `of` names in the error what the pod is of. Raises NoRunningPod.
    """
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    running = [pod for pod in kube.list(PODS, namespace, selector) if _runs(pod)]
    if not running:
        raise NoRunningPod(f"{of} has no running pod", where=f"namespace {namespace}, pods with {selector}")
    return max(running, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def _runs(pod: Manifest) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
