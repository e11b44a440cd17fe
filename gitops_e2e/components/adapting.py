"""Small changes that make manifests as published fit a cluster that pulls nothing and is waited for."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest

_CLUSTER_SCOPED = {
    "APIService",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PriorityClass",
    "ValidatingWebhookConfiguration",
}
_WORKLOADS = {"Deployment", "StatefulSet"}
_LEFT_OUT = {"NetworkPolicy"}  # the node's network plugin enforces none


NO_ELECTION = "--leader-elect=false"
"""For a controller that has one replica: on a busy machine it would end itself when it cannot renew its lease in time,
and one that takes the place of a killed one would wait until the lease is over."""


def adapted(
    manifests: Iterable[Manifest], *, namespace: str, images: Mapping[str, str], pulls: bool = False
) -> list[Manifest]:
    """The manifests placed in a namespace, with our images and probes that are asked often.

    `images` maps an image's name without tag, as the manifests have it, to the reference to use. One that is not in
    the map stays as it is published where the cluster `pulls` images.
    Raises HarnessError for such an image where it does not.
    """
    kept = (manifest for manifest in manifests if manifest["kind"] not in _LEFT_OUT)
    return [_adapted(manifest, namespace, images, pulls=pulls) for manifest in kept]


def _adapted(manifest: Manifest, namespace: str, images: Mapping[str, str], *, pulls: bool) -> Manifest:
    changed = copy.deepcopy(manifest)
    if changed["kind"] not in _CLUSTER_SCOPED:
        changed["metadata"].setdefault("namespace", namespace)
    if changed["kind"] in _WORKLOADS:
        for container in containers(changed):
            container["image"] = _image(container["image"], images, manifest, pulls=pulls)
            container["imagePullPolicy"] = "IfNotPresent"
            _ask_often(container)
    return changed


def containers(workload: Manifest) -> Iterator[dict[str, Any]]:
    """The containers of a workload's pods, init containers first."""
    pod = workload["spec"]["template"]["spec"]
    yield from pod.get("initContainers", [])
    yield from pod["containers"]


def _image(published: str, images: Mapping[str, str], manifest: Manifest, *, pulls: bool) -> str:
    tagged = published.partition("@")[0]
    name = tagged.rpartition(":")[0] if ":" in tagged.rpartition("/")[2] else tagged
    if name not in images and pulls:
        return published
    if name not in images:
        raise HarnessError(
            f"no image of ours stands for {name}", where=f"{manifest['kind']} {manifest['metadata']['name']}"
        )
    return images[name]


def _ask_often(container: dict[str, Any]) -> None:
    # Published probes look every 10 s after a first delay: a stack would wait longer for probes than for itself.
    probe = container.get("readinessProbe")
    if probe is not None:
        probe.update(initialDelaySeconds=0, periodSeconds=1, failureThreshold=3)


def with_environment(manifests: Iterable[Manifest], workload: str, environment: Mapping[str, str]) -> list[Manifest]:
    """The manifests with environment variables added to the containers of one workload."""
    return _extended(
        manifests, workload, "env", [{"name": name, "value": value} for name, value in environment.items()]
    )


def with_arguments(manifests: Iterable[Manifest], workload: str, arguments: Sequence[str]) -> list[Manifest]:
    """The manifests with arguments added to the containers of one workload."""
    return _extended(manifests, workload, "args", arguments)


def _extended(manifests: Iterable[Manifest], workload: str, field: str, more: Sequence[Any]) -> list[Manifest]:
    changed = []
    for manifest in manifests:
        if manifest["kind"] in _WORKLOADS and manifest["metadata"]["name"] == workload:
            manifest = copy.deepcopy(manifest)  # noqa: PLW2901
            for container in manifest["spec"]["template"]["spec"]["containers"]:
                container[field] = [*container.get(field, []), *more]
        changed.append(manifest)
    return changed
