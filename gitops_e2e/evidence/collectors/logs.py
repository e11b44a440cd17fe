"""What containers wrote: those of the pipelines' pods, and those of the controllers that act on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.kube import PODS, KubeError, Manifest
from gitops_e2e.pipeline.pods import Pod

_CONTROLLERS = ("argo-rollouts", "kargo", "argocd")
_LINES = 2000


def of_pods(scene: Scene) -> Iterator[Piece]:
    """The current log of each container, and that of the one before a restart."""
    for namespace in scene.namespaces:
        for manifest in scene.cache.now().collections[PODS].objects.get(namespace, {}).values():
            yield from _of_pod(scene, manifest, f"logs/{namespace}", None)


def of_controllers(scene: Scene) -> Iterator[Piece]:
    """What Argo Rollouts, Kargo and Argo CD wrote since the scenario began."""
    for namespace in _CONTROLLERS:
        for manifest in scene.cache.now().collections[PODS].objects.get(namespace, {}).values():
            yield from _of_pod(scene, manifest, f"controllers/{namespace}", scene.since)


def _of_pod(scene: Scene, manifest: Manifest, folder: str, since: datetime | None) -> Iterator[Piece]:
    pod, namespace = Pod.of(manifest), manifest["metadata"]["namespace"]
    for container in pod.containers:
        path = f"{folder}/{pod.name}/{container.name}"
        yield _log(scene, f"{path}.log", namespace, pod.name, container.name, since=since)
        if container.restarts:
            yield _log(scene, f"{path}.previous.log", namespace, pod.name, container.name, previous=True)


def _log(
    scene: Scene,
    path: str,
    namespace: str,
    pod: str,
    container: str,
    *,
    previous: bool = False,
    since: datetime | None = None,
) -> Piece:
    """The log; or why there is none, as a container that never ran has none."""
    try:
        return Piece(path, scene.kube.logs(namespace, pod, container, tail=_LINES, previous=previous, since=since))
    except KubeError as error:
        return Piece(path, f"{error}\n")
