"""Taking a pipeline away without a trace, whether it was completed or not."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Ref
from gitops_e2e.pipeline.application import APPLICATIONS, ARGOCD
from gitops_e2e.pipeline.credentials import argocd_login_ref
from gitops_e2e.pipeline.kargo import API_VERSION
from gitops_e2e.pipeline.names import STAGES, PipelineNames
from gitops_e2e.pipeline.node_ports import NodePorts
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.pods import PODS

_BOUND = 120.0
_POLL = 0.25


class PipelineNotRemoved(HarnessError):
    """Something of the pipeline is still there after the time that its removal may take."""


def remove(platform: Platform, names: PipelineNames) -> None:
    """Remove everything that bears the pipeline's names; what is not there is fine. Raises PipelineNotRemoved.

    What would make things again goes first: the Project, which promotes and takes its namespace along, and the
    ApplicationSet. Applications have a finalizer by which Argo CD removes what they deployed; their namespaces it
    leaves.
    """
    kube = platform.kube
    project = Ref(API_VERSION, "Project", names.project)
    sets = [Ref(APPLICATIONS.api_version, "ApplicationSet", names.application_set, ARGOCD)]
    applications = [Ref(APPLICATIONS.api_version, "Application", names.application(stage), ARGOCD) for stage in STAGES]
    namespaces = [Ref("v1", "Namespace", names.namespace(stage)) for stage in STAGES]
    deadline = time.monotonic() + _BOUND
    _delete(kube, [project, *sets])
    _await_absence(kube, sets, deadline)
    _delete(kube, [*applications, *namespaces, argocd_login_ref(names)])
    for namespace in namespaces:
        _end_pods(kube, namespace.name)
    _await_absence(kube, [project, Ref("v1", "Namespace", names.project), *applications, *namespaces], deadline)
    platform.repositories.delete(names.repository)
    NodePorts(kube).release(names.id)


def _delete(kube: Kube, refs: Sequence[Ref]) -> None:
    for ref in refs:
        kube.delete(ref)


def _end_pods(kube: Kube, namespace: str) -> None:
    """Let nobody wait for pods to drain; a namespace that is being deleted gets no new ones."""
    for pod in kube.list(PODS, namespace):
        kube.delete(Ref.of(pod), grace=0)


def _await_absence(kube: Kube, refs: Sequence[Ref], deadline: float) -> None:
    while left := [ref for ref in refs if kube.find(ref) is not None]:
        if time.monotonic() > deadline:
            raise PipelineNotRemoved(
                f"still there after {_BOUND:g} s: {', '.join(map(str, left))}",
                remedy="see whether Kargo and Argo CD's application controller run, and which finalizers they have",
            )
        time.sleep(_POLL)
