"""Whether the nodes get our images, and whether we get to their ports: tried, before anything relies on it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

from gitops_e2e.clusters.existing.errors import PreflightRefused
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.kube import NODES, Kube, Manifest, Ref
from gitops_e2e.pulling import let_pull

_CONNECT_BOUND = 3.0
_PULL_BOUND = 120.0
_POLL = 0.5
_NAMESPACE = "default"
_GIVEN_UP = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}


def node_addresses(kube: Kube) -> Sequence[str]:
    """The addresses that the nodes have by their own account, in and outside of their network."""
    return [
        str(each["address"])
        for node in kube.list(NODES)
        for each in node["status"].get("addresses", [])
        if each["type"] in {"InternalIP", "ExternalIP"}
    ]


def answering(addresses: Iterable[str], port: int) -> str | None:
    """The first address at which this machine is answered, be it by a refusal, within 3 s; None where there is none."""
    return next((address for address in addresses if _answers(address, port)), None)


def require_images(
    kube: Kube, images: Sequence[str], outside: RemoteRegistry | None = None, *, pulled: bool = False, remedy: str
) -> None:
    """Let every node that takes pods get each of the images. Raises PreflightRefused, with the kubelet's words.

    Where `pulled`, it has to come from its registry even where the node has it; `outside` is one that may ask for a
    login. They are pods of a moment, which are removed: it does not matter how their commands end.
    """
    let_pull(kube, _NAMESPACE, outside)
    refs: list[Ref] = []
    with ExitStack() as made:
        for node in _taking_pods(kube):
            ref = Ref.of(kube.create(_pod(node, images, "Always" if pulled else "IfNotPresent")))
            made.callback(kube.delete, ref, grace=0)
            refs.append(ref)
        deadline = time.monotonic() + _PULL_BOUND
        for ref in refs:
            _await_images(kube, ref, len(images), deadline, remedy)


def _await_images(kube: Kube, ref: Ref, count: int, deadline: float, remedy: str) -> None:
    while True:
        pod = kube.get(ref)
        statuses = pod["status"].get("containerStatuses") or []
        waiting = [each["state"].get("waiting") or {} for each in statuses]
        for each in waiting:
            if each.get("reason") in _GIVEN_UP:
                raise _refused(pod, str(each.get("message") or each["reason"]), remedy)
        if len(statuses) == count and all(each.get("imageID") for each in statuses):
            return
        if time.monotonic() > deadline:
            raise _refused(pod, f"not there after {_PULL_BOUND:g} s", remedy)
        time.sleep(_POLL)


def _refused(pod: Manifest, reason: str, remedy: str) -> PreflightRefused:
    return PreflightRefused(
        f"node {pod['spec']['nodeName']} does not get the images that pods need: {reason}",
        where=f"namespace {_NAMESPACE}",
        remedy=remedy,
    )


def _taking_pods(kube: Kube) -> Iterator[str]:
    for node in kube.list(NODES):
        taints = node["spec"].get("taints") or []
        if not any(taint["effect"] in {"NoSchedule", "NoExecute"} for taint in taints):
            yield str(node["metadata"]["name"])


def _pod(node: str, images: Sequence[str], policy: str) -> Manifest:
    containers = [
        {"name": f"image-{number}", "image": image, "command": ["true"], "imagePullPolicy": policy}
        for number, image in enumerate(images)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "gitops-e2e-images-", "namespace": _NAMESPACE},
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": containers,
        },
    }


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=_CONNECT_BOUND):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
