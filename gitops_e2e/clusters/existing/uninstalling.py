"""Taking everything of ours off a cluster that exists, and nothing else: what has the label of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from gitops_e2e.clusters.existing.cluster import RUN
from gitops_e2e.clusters.existing.errors import ExistingFailed
from gitops_e2e.kube import Kube, KubeError, Manifest, NotFound, Ref, Resource
from gitops_e2e.pipeline import removal

_BOUND = 180.0
_POLL = 0.25
_FORBIDDEN = 403
_NOT_NOW = 429
_WEBHOOKS = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
_PLACES = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
_KINDS = "CustomResourceDefinition"


def uninstall(kube: Kube) -> list[Ref]:
    """Remove all pipelines, then what runs have installed, and wait until it is gone. What was removed.

    First what could refuse a removal, then objects that a controller has to let go, while it runs; namespaces take
    along what is in them, and kinds what is of them. Raises PipelineNotRemoved, ExistingFailed or KubeError; what is
    left then is removed by another attempt.
    """
    removal.sweep(kube, None)
    ours = list(_ours(kube))
    for rank in range(len(_ORDER)):
        refs = [Ref.of(each) for each in ours if _rank(each) == rank]
        for ref in refs:
            kube.delete(ref)
        _await_absence(kube, refs)
    return [Ref.of(each) for each in ours]


def _ours(kube: Kube) -> Iterator[Manifest]:
    """Every object with the label of a run, once. What this user may not list, no run of this user has made."""
    seen: set[str] = set()
    for resource in kube.deletable():
        for each in _listed(kube, resource):
            if each["metadata"]["uid"] not in seen:
                seen.add(each["metadata"]["uid"])
                yield each


def _listed(kube: Kube, resource: Resource) -> Sequence[Manifest]:
    """What has the label; a kind whose storage begins or ends at this moment is asked for again."""
    deadline = time.monotonic() + _BOUND
    while True:
        try:
            return kube.list(resource, labels=RUN)
        except NotFound:
            return ()
        except KubeError as error:
            if error.code == _FORBIDDEN:
                return ()
            if error.code != _NOT_NOW or time.monotonic() > deadline:
                raise
        time.sleep(_POLL)


def _is_custom(manifest: Manifest) -> bool:
    """Whether it is of a kind that a CustomResourceDefinition made; Kubernetes' own groups have no dot, or its name."""
    group = str(manifest["apiVersion"]).partition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


_ORDER: tuple[Callable[[Manifest], bool], ...] = (
    lambda manifest: manifest["kind"] in _WEBHOOKS,
    _is_custom,
    lambda manifest: manifest["kind"] not in {*_PLACES, _KINDS},
    lambda manifest: manifest["kind"] in _PLACES,
    lambda manifest: manifest["kind"] == _KINDS,
)


def _rank(manifest: Manifest) -> int:
    return next(rank for rank, fits in enumerate(_ORDER) if fits(manifest))


def _await_absence(kube: Kube, refs: Sequence[Ref]) -> None:
    if left := kube.await_absence(refs, deadline=time.monotonic() + _BOUND):
        raise ExistingFailed(
            f"still there after {_BOUND:g} s: {', '.join(map(str, left))}",
            where=kube.host,
            remedy="see which finalizers they have, and who should take them off; then try again",
        )
