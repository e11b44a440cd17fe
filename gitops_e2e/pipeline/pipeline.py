"""One pipeline under test: made, released to, looked at, removed without a trace."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.branch import Branch
from gitops_e2e.pipeline.changes import Change
from gitops_e2e.pipeline.endpoint import Endpoint
from gitops_e2e.pipeline.names import SERVICE, STAGES, PipelineNames
from gitops_e2e.pipeline.node_ports import NodePorts
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.repository import Repository

BASELINE = "0.9.0"
"""The release that every stage runs before anything is promoted."""

_ARGO = "argoproj.io/v1alpha1"
_ARGOCD = "argocd"
_REFRESH = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
_SIDECARS = ("redis", "stress")
_REMOVAL_BOUND = 120.0
_REMOVAL_POLL = 0.25


class PipelineNotRemoved(HarnessError):
    """Something of the pipeline is still there after the time that its removal may take."""


@dataclass(frozen=True)
class Release:
    """A release that a stage's branch asks for since `at`, by the commit."""

    stage: str
    version: str
    commit: str
    at: datetime


@dataclass(frozen=True)
class Pipeline:
    """A pipeline on a platform: its own namespaces, Applications, Git repository, image repositories, NodePorts.

    `stages` are those that are deployed; `node_ports` are by stage; `folder` is the clone's, on this machine.
    """

    names: PipelineNames
    platform: Platform
    repository: Repository
    stages: tuple[str, ...]
    node_ports: Mapping[str, int]
    folder: Path

    @staticmethod
    def create(
        platform: Platform,
        pipeline: str,
        *,
        stages: Sequence[str] = STAGES,
        versions: Sequence[str] = (BASELINE, "1.0.0"),
        changes: Sequence[Change] = (),
    ) -> Pipeline:
        """Make a pipeline whose stages are to run the baseline; Argo CD begins to deploy it.

        `versions` of the service are put into its image repository; `changes` are made on main before anything is
        rendered. What was made is removed again when the rest fails. Raises InvalidPipelineId, NoFreeNodePorts,
        and what the platform raises.
        """
        names = PipelineNames(pipeline)
        ports = NodePorts(platform.kube).claim(pipeline)
        folder = Path(tempfile.mkdtemp(prefix=f"gitops-e2e-{pipeline}-"))
        try:
            tags = {image: platform.images.tag(image) for image in _SIDECARS}
            repository = Repository.create(
                platform.repositories,
                Adaptation(names, ports, tags),
                platform.manifests,
                folder / "clone",
                platform.kustomize,
            )
            made = Pipeline(names, platform, repository, tuple(stages), ports, folder)
            made._fill_registry(versions, tags)
            made._deploy(changes)
        except BaseException:
            _remove(platform, names, folder)
            raise
        return made

    def publish(self, version: str) -> None:
        """Put a release of the service into the pipeline's image repository."""
        self.platform.images.publish(self.names.image_path(), SERVICE, version)

    def change(self, change: Change) -> str:
        """Change the manifests on main; no stage sees it before its next release. Gives the commit."""
        return self.repository.change(change)

    def release(self, stage: str, version: str) -> Release:
        """Let a stage's branch ask for a release, and tell Argo CD, which nobody else does: there is no webhook."""
        commit = self.repository.render(stage, version)
        at = datetime.now(UTC)
        self.refresh(stage)
        return Release(stage, version, commit, at)

    def refresh(self, stage: str) -> None:
        """Let Argo CD look at the stage's branch now."""
        self.platform.kube.patch(self.application_ref(stage), _REFRESH)

    def delete(self) -> None:
        """Remove the pipeline from the cluster, the Git server and this machine.

        Its images stay in the registry. Raises PipelineNotRemoved; may be called again.
        """
        _remove(self.platform, self.names, self.folder)

    def branch(self, stage: str) -> Branch:
        """What Git says the stage is to run."""
        return self.repository.branch(stage)

    def endpoint(self, stage: str) -> Endpoint:
        """The stage's stable service, at its NodePort."""
        return Endpoint(f"http://{self.platform.address}:{self.node_ports[stage]}")

    def application_ref(self, stage: str) -> Ref:
        """Which Application deploys the stage."""
        return Ref(_ARGO, "Application", self.names.application(stage), _ARGOCD)

    def rollout_ref(self, stage: str) -> Ref:
        """Which Rollout is the stage's."""
        return Ref(_ARGO, "Rollout", self.names.rollout, self.names.namespace(stage))

    def _fill_registry(self, versions: Sequence[str], tags: Mapping[str, str]) -> None:
        for version in versions:
            self.publish(version)
        self.platform.images.publish(self.names.image_path("stress"), "stress", tags["stress"])

    def _deploy(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.change(change)
        for stage in self.stages:
            self.repository.render(stage, BASELINE)
        self.platform.kube.apply(self._application_set())

    def _application_set(self) -> Manifest:
        manifest = self.repository.manifest("applicationset.yaml")
        stages = manifest["spec"]["generators"][0]["list"]
        stages["elements"] = [element for element in stages["elements"] if element["stage"] in self.stages]
        return manifest


def _remove(platform: Platform, names: PipelineNames, folder: Path) -> None:
    """Take away everything that bears the pipeline's names, whether it was completed or not.

    The ApplicationSet goes first: it would make its Applications again. These have a finalizer by which
    Argo CD removes what they deployed; their namespaces it leaves.
    """
    applications = [Ref(_ARGO, "Application", names.application(stage), _ARGOCD) for stage in STAGES]
    namespaces = [Ref("v1", "Namespace", names.namespace(stage)) for stage in STAGES]
    deadline = time.monotonic() + _REMOVAL_BOUND
    for refs in ([Ref(_ARGO, "ApplicationSet", names.application_set, _ARGOCD)], [*applications, *namespaces]):
        for ref in refs:
            platform.kube.delete(ref)
        _await_absence(platform, refs, deadline)
    platform.repositories.delete(names.repository)
    NodePorts(platform.kube).release(names.id)
    shutil.rmtree(folder, ignore_errors=True)


def _await_absence(platform: Platform, refs: Sequence[Ref], deadline: float) -> None:
    while left := [ref for ref in refs if platform.kube.find(ref) is not None]:
        if time.monotonic() > deadline:
            raise PipelineNotRemoved(
                f"still there after {_REMOVAL_BOUND:g} s: {', '.join(map(str, left))}",
                remedy="see whether Argo CD's application controller runs, and which finalizers they have",
            )
        time.sleep(_REMOVAL_POLL)
