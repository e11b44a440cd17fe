"""Taking a pipeline away without a trace, whether it was completed or not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import PODS, Kube, NotFound, Ref
from gitops_e2e.pipeline.application import APPLICATIONS, ARGOCD
from gitops_e2e.pipeline.credentials import argocd_login_ref
from gitops_e2e.pipeline.kargo import API_VERSION, PROJECTS
from gitops_e2e.pipeline.names import DEMO, STAGES, PipelineNames
from gitops_e2e.pipeline.node_ports import NodePorts
from gitops_e2e.pipeline.repository import RepositoryHost

DEMO_RECORD = Ref("v1", "ConfigMap", "demo", "gitops-e2e")
"""What a complete demo of `up` was brought up with; where it is, the pipeline DEMO is that demo's."""

_BOUND = 120.0


class NamesTaken(HarnessError):
    """The cluster has something by a name of the pipeline that is to be made, and that would go with it."""


class PipelineNotRemoved(HarnessError):
    """Something of the pipeline is still there after the time that its removal may take."""


def sweep(kube: Kube, repositories: RepositoryHost | None) -> list[str]:
    """Remove every pipeline that the cluster has. Their ids. Raises PipelineNotRemoved.

    It is known by its NodePorts; where runs label what they make, also by its Project, which is all that some have.
    """
    ids = sorted({*NodePorts(kube).claimants(), *_projects(kube)})
    _remove_each(kube, repositories, ids)
    return ids


def sweep_abandoned(kube: Kube, repositories: RepositoryHost) -> list[str]:
    """Remove the pipelines that killed processes of this machine left, beside others that go on; their ids.

    The demo of `up` stays, though the command that made it has ended. Raises PipelineNotRemoved.
    """
    kept = {DEMO} if kube.find(DEMO_RECORD) else set()
    ids = [each for each in NodePorts(kube).abandoned() if each not in kept]
    _remove_each(kube, repositories, ids)
    return ids


def require_absence(kube: Kube, names: PipelineNames) -> None:
    """Raises NamesTaken where somebody else has a namespace of the pipeline's names: `remove` would take it away."""
    namespaces = [Ref("v1", "Namespace", name) for name in (names.project, *map(names.namespace, STAGES))]
    if taken := [ref for ref in namespaces if kube.find(ref)]:
        raise NamesTaken(
            f"the cluster has {', '.join(map(str, taken))} already",
            remedy="remove it, if nobody needs it, or take another cluster",
        )


def remove(kube: Kube, repositories: RepositoryHost | None, names: PipelineNames) -> None:
    """Remove everything that bears the pipeline's names; what is not there is fine. Raises PipelineNotRemoved.

    What would make things again goes first: the Project, which promotes and takes its namespace along, and the
    ApplicationSet. Applications have a finalizer by which Argo CD removes what they deployed; their namespaces it
    leaves. A sync that is under way makes a namespace anew, and tries again for minutes before the finalizer gets
    its turn: so it is ended, as Argo CD's own command does it. Without `repositories` the Git server is left alone.
    """
    project = Ref(API_VERSION, "Project", names.project)
    sets = [Ref(APPLICATIONS.api_version, "ApplicationSet", names.application_set, ARGOCD)]
    applications = [Ref(APPLICATIONS.api_version, "Application", names.application(stage), ARGOCD) for stage in STAGES]
    namespaces = [Ref("v1", "Namespace", names.namespace(stage)) for stage in STAGES]
    deadline = time.monotonic() + _BOUND
    _delete(kube, [project, *sets])
    _await_absence(kube, sets, deadline)
    _delete(kube, [*applications, argocd_login_ref(names)])
    for application in applications:
        _end_sync(kube, application)
    _delete(kube, namespaces)
    for namespace in namespaces:
        _end_pods(kube, namespace.name)
    _await_absence(kube, [project, Ref("v1", "Namespace", names.project), *applications], deadline)
    _delete(kube, namespaces)
    _await_absence(kube, namespaces, deadline)
    if repositories:
        repositories.delete(names.repository)
    NodePorts(kube).release(names.id)


def _remove_each(kube: Kube, repositories: RepositoryHost | None, ids: Sequence[str]) -> None:
    for each in ids:
        if repositories:
            repositories.delete(PipelineNames(each, private=True).repository)
        remove(kube, repositories, PipelineNames(each))


def _projects(kube: Kube) -> set[str]:
    """The Projects that any run has made; none where the kind is not there (yet, or any more)."""
    if not kube.labels:
        return set()
    with suppress(NotFound):
        return {str(each["metadata"]["name"]) for each in kube.list(PROJECTS, labels=",".join(kube.labels))}
    return set()


def _delete(kube: Kube, refs: Sequence[Ref]) -> None:
    for ref in refs:
        kube.delete(ref)


def _end_sync(kube: Kube, application: Ref) -> None:
    found = kube.find(application)
    if found and found.get("status", {}).get("operationState", {}).get("phase") == "Running":
        with suppress(NotFound):
            kube.patch(application, {"status": {"operationState": {"phase": "Terminating"}}})


def _end_pods(kube: Kube, namespace: str) -> None:
    """Let nobody wait for pods to drain; a namespace that is being deleted gets no new ones."""
    for pod in kube.list(PODS, namespace):
        kube.delete(Ref.of(pod), grace=0)


def _await_absence(kube: Kube, refs: Sequence[Ref], deadline: float) -> None:
    if left := kube.await_absence(refs, deadline=deadline):
        raise PipelineNotRemoved(
            f"still there after {_BOUND:g} s: {', '.join(map(str, left))}",
            remedy="see whether Kargo and Argo CD's application controller run, and which finalizers they have",
        )
