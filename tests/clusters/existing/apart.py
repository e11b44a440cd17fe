"""A cluster that is not ours: a node with components that somebody else installed, and what is on it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.coredns import CoreDNS
from gitops_e2e.components.rollouts import Rollouts
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, KubeError, Ref
from gitops_e2e.toolchain import Toolchain

_BOUND = 60.0
_POLL = 0.5
# What a cluster makes by itself, at any time.
_TRANSIENT = {"Event", "Lease", "Pod", "ReplicaSet", "ControllerRevision", "Endpoints", "EndpointSlice", "Secret"}


@contextmanager
def a_cluster_apart(name: str, toolchain: Toolchain, *, theirs: Toolchain) -> Iterator[Node]:
    """A node with CoreDNS, and with Argo CD and Argo Rollouts as `theirs` has them; none has a label of ours."""
    images, their_images = Images(toolchain.cache, toolchain), Images(theirs.cache, theirs)
    cluster = Provider("node", "").start(name, images, toolchain)
    assert isinstance(cluster, Node)
    try:
        kube = Kube(cluster.kubeconfig)
        cluster.load([their_images.archive(image) for image in ("argocd", "argo-rollouts")])
        sources = Sources(theirs.cache, theirs)
        CoreDNS(Sources(toolchain.cache, toolchain), images).install(kube, within=_BOUND)
        ArgoCD(sources, their_images, Authority.create()).install(kube, within=_BOUND)
        Rollouts(sources, their_images).install(kube, within=_BOUND)
        _await_storage(kube)
        yield cluster
    finally:
        cluster.delete()


def objects(kube: Kube) -> Mapping[str, str]:
    """Everything that stays as it is made, with what it is to be."""
    return {
        str(Ref.of(each)): json.dumps(
            [each["metadata"]["uid"], each["metadata"].get("labels"), each.get("spec"), each.get("data")],
            sort_keys=True,
        )
        for resource in kube.deletable()
        if resource.kind not in _TRANSIENT
        for each in kube.list(resource)
    }


def _await_storage(kube: Kube) -> None:
    """Kinds that were made a moment ago cannot be listed yet."""
    deadline = time.monotonic() + _BOUND
    while True:
        try:
            objects(kube)
            return
        except KubeError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL)
