"""Talking to a Kubernetes API server: objects as the API gives them, errors with its own words."""

from gitops_e2e.kube.client import Kube
from gitops_e2e.kube.errors import AlreadyExists, Conflict, Expired, KubeError, NotFound, NotOurs, Unreachable
from gitops_e2e.kube.follower import Follower, Observer
from gitops_e2e.kube.objects import NODES, PODS, Manifest, Ref, Resource
from gitops_e2e.kube.running import NoRunningPod, running_pod
from gitops_e2e.kube.watch import Watch

__all__ = [
    "NODES",
    "PODS",
    "AlreadyExists",
    "Conflict",
    "Expired",
    "Follower",
    "Kube",
    "KubeError",
    "Manifest",
    "NoRunningPod",
    "NotFound",
    "NotOurs",
    "Observer",
    "Ref",
    "Resource",
    "Unreachable",
    "Watch",
    "running_pod",
]
