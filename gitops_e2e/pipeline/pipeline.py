"""One pipeline under test: made, released to, looked at, removed without a trace."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline.adaptation import Adaptation
from gitops_e2e.pipeline.analysis import WatchedAnalysis
from gitops_e2e.pipeline.application import APPLICATIONS, ARGOCD, WatchedApplication, has_health, is_synced_to
from gitops_e2e.pipeline.branch import Branch
from gitops_e2e.pipeline.changes import Change
from gitops_e2e.pipeline.credentials import argocd_login
from gitops_e2e.pipeline.endpoint import Endpoint
from gitops_e2e.pipeline.names import SERVICE, STAGES, PipelineNames
from gitops_e2e.pipeline.node_ports import NodePorts
from gitops_e2e.pipeline.parsing import require_parsable
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.pods import WatchedPods
from gitops_e2e.pipeline.probe import Probe
from gitops_e2e.pipeline.promotion import Promotion, has_begun
from gitops_e2e.pipeline.pushes import Hook
from gitops_e2e.pipeline.reading import tag_of
from gitops_e2e.pipeline.removal import remove, require_absence
from gitops_e2e.pipeline.repository import Repository
from gitops_e2e.pipeline.rollout import ROLLOUTS, WatchedRollout, is_healthy_on
from gitops_e2e.pipeline.service_pod import ServicePod
from gitops_e2e.pulling import let_all_pull
from gitops_e2e.watching import Budgets, expect

BASELINE = "0.9.0"
"""The release that every stage runs before anything is promoted."""

RELEASES = (BASELINE, "1.0.0")
"""The releases of the service that there are."""

_REFRESH = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
_REDIS, _STRESS = "redis", "stress"


class NotDeployed(HarnessError, AssertionError):
    """The cluster does not have what a stage is to run, or has it by other means."""


@dataclass(frozen=True)
class Release:
    """A release that a stage's branch asks for since `at`, by the commit.

    `generation` is the newest one of the stage's Rollout that knew nothing of it.
    """

    stage: str
    version: str
    commit: str
    at: datetime
    generation: int


@dataclass(frozen=True)
class Pipeline:
    """A pipeline on a platform: its own namespaces, Applications, Git repository, image repositories, NodePorts.

    `stages` are those that are deployed; `node_ports` are by stage; `folder` is the clone's, on this machine.
    What is watched of a stage is watched from its newest release on: `releases` has it by stage.
    """

    names: PipelineNames
    platform: Platform
    repository: Repository
    stages: tuple[str, ...]
    node_ports: Mapping[str, int]
    folder: Path
    releases: dict[str, Release] = field(default_factory=dict)

    # --- its life

    @staticmethod
    def create(
        platform: Platform,
        pipeline: str | PipelineNames,
        *,
        stages: Sequence[str] = STAGES,
        versions: Sequence[str] = RELEASES,
        changes: Sequence[Change] = (),
        private: bool = False,
    ) -> Pipeline:
        """Make a pipeline whose stages are to run the baseline; Argo CD begins to deploy it.

        `versions` of the service are put into its image repository; `changes` are made on main before anything is
        rendered. The Git repository of a `private` one asks for a password, which Argo CD is told. What was made is
        removed again when the rest fails. Raises ManifestError, InvalidPipelineId, NoFreeNodePorts, NamesTaken, and
        what the platform raises.
        """
        require_parsable(platform.manifests)
        names = pipeline if isinstance(pipeline, PipelineNames) else platform.names(pipeline, private=private)
        if platform.kube.labels:  # elsewhere nobody else is
            require_absence(platform.kube, names)
        ports = NodePorts(platform.kube).claim(names.id)
        folder = Path(tempfile.mkdtemp(prefix=f"{names.id}-", dir=platform.scratch))
        try:
            stress = tag_of(platform.images.reference(_STRESS))
            images = {
                _REDIS: platform.images.reference(_REDIS),
                _STRESS: f"{names.image_repository(_STRESS)}:{stress}",
            }
            adaptation = Adaptation(names, ports, images)
            repository = Repository.create(
                platform.repositories, adaptation, platform.manifests, folder / "clone", platform.kustomize
            )
            made = Pipeline(names, platform, repository, tuple(stages), ports, folder)
            made._fill_registry(versions, stress)
            made._deploy(changes)
        except BaseException:
            remove(platform.kube, platform.repositories, names)
            shutil.rmtree(folder)
            raise
        return made

    def await_baseline(self, budgets: Budgets) -> None:
        """Wait until every stage serves the baseline. Raises ExpectationFailed, or NoAnswer of its endpoint."""
        for stage in self.stages:
            commit = self.releases[stage].commit
            expect(self.application(stage), is_synced_to(commit), within=budgets.application_synced)
            expect(self.rollout(stage), is_healthy_on(BASELINE), within=budgets.rollout_settled)
            expect(self.application(stage), has_health("Healthy"), within=budgets.application_healthy)
            self.endpoint(stage).await_version(BASELINE, within=budgets.endpoint_answers)

    def await_synced(self, budgets: Budgets) -> None:
        """Wait until what every stage's branch asks for is deployed, not until it runs. Raises ExpectationFailed."""
        for stage in self.stages:
            synced = is_synced_to(self.releases[stage].commit)
            expect(self.application(stage), synced, within=budgets.application_synced)

    def delete(self) -> None:
        """Remove the pipeline from the cluster, the Git server and this machine.

        Its images stay in the registry. Raises PipelineNotRemoved; may be called again.
        """
        remove(self.platform.kube, self.platform.repositories, self.names)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what one does to it

    def publish(self, version: str) -> None:
        """Put a release of the service into the pipeline's image repository."""
        self.platform.images.publish(self.names.image_path(), SERVICE, version)

    def change(self, change: Change) -> str:
        """Change the manifests on main; no stage sees it before its next release. Gives the commit."""
        return self.repository.change(change)

    def release(self, stage: str, version: str) -> Release:
        """Let a stage's branch ask for a release, and tell Argo CD, which nobody else does: there is no webhook."""
        generation = self._generation(stage)
        rendering = self.repository.render(stage, version)
        if not rendering.changes("Rollout"):
            generation = self.releases[stage].generation
        return self._asks_for(Release(stage, version, rendering.commit, datetime.now(UTC), generation))

    def set_back(self, stage: str, version: str) -> Release:
        """Let a stage's branch lose its newest commit, so that it asks for an earlier release; tell Argo CD.

        Raises BranchError where that is another release.
        """
        generation = self._generation(stage)
        commit = self.repository.git.set_back(self.names.branch(stage))
        self.branch(stage).require(version, commit)
        return self._asks_for(Release(stage, version, commit, datetime.now(UTC), generation))

    def evict(self, stage: str, pod: str) -> None:
        """Let a pod of the stage go, as when its node is drained. Raises KubeError."""
        self.platform.kube.evict(self.names.namespace(stage), pod)

    def scale_by_hand(self, stage: str, replicas: int) -> WatchedRollout:
        """Scale the stage's Rollout past Git; gives the Rollout as it is once somebody has changed it again."""
        rollout = self.rollout(stage)
        ref = Ref(ROLLOUTS.api_version, ROLLOUTS.kind, rollout.name, rollout.namespace)
        scaled = self.platform.kube.patch(ref, {"spec": {"replicas": replicas}})
        return replace(rollout, after=int(scaled["metadata"]["generation"]))

    def refresh(self, stage: str) -> WatchedApplication:
        """Let Argo CD look at the stage's branch now; gives the Application as it is once it has."""
        asked = self.platform.kube.patch(self.application_ref(stage), _REFRESH)
        return replace(self.application(stage), refreshed=int(asked["metadata"]["resourceVersion"]))

    def promoted(self, version: str, promotion: Promotion) -> Release:
        """Take note that a Promotion, which succeeded, let a stage's branch ask for a release.

        The Rollout knew nothing of it as long as the Promotion had not begun. A Promotion that had nothing to commit,
        or changed other objects only, leaves the Rollout as it was.
        """
        stage, commit = promotion.stage, promotion.commit
        news = commit != self.releases[stage].commit and self.repository.rendering(commit).changes("Rollout")
        generation = self._generation_before(promotion) if news else self.releases[stage].generation
        begun = promotion.started or datetime.now(UTC)
        self.releases[stage] = Release(stage, version, commit, begun, generation)
        return self.releases[stage]

    def hook(self, hook: Hook) -> None:
        """Let the Git server run that (see `pushes`) in the pipeline's repository."""
        self.platform.repositories.hook(self.names.repository, hook.event, hook.script)

    def unhook(self) -> None:
        """Let every push come through again."""
        self.platform.repositories.unhook(self.names.repository)

    def promote_rollout(self, stage: str) -> None:
        """Let a canary that is paused go to the end, past all its steps, as Argo Rollouts' command does it."""
        self.platform.kube.patch(self.rollout_ref(stage), {"status": {"promoteFull": True}}, subresource="status")

    def abort_rollout(self, stage: str) -> None:
        """Take a canary back, as Argo Rollouts' command does it."""
        self.platform.kube.patch(self.rollout_ref(stage), {"status": {"abort": True}}, subresource="status")

    def retry_rollout(self, stage: str) -> None:
        """Let a canary that was taken back begin anew, as Argo Rollouts' command does it."""
        self.platform.kube.patch(self.rollout_ref(stage), {"status": {"abort": False}}, subresource="status")

    # --- how one looks at it

    def rollout(self, stage: str) -> WatchedRollout:
        """The stage's Rollout, from its newest release on."""
        after = self.releases[stage].generation
        return WatchedRollout(self.platform.cache, self.names.namespace(stage), self.names.rollout, after)

    def analysis(self, stage: str, step: int | None = None) -> WatchedAnalysis:
        """The AnalysisRun of the stage's newest release, of the step with that index where one is given."""
        return WatchedAnalysis(self.rollout(stage), step)

    def application(self, stage: str) -> WatchedApplication:
        """The stage's Application, from its newest release on."""
        commit = self.releases[stage].commit
        return WatchedApplication(
            self.platform.cache, self.names.application(stage), self.names.namespace(stage), commit
        )

    def application_ref(self, stage: str) -> Ref:
        """Which Application deploys the stage."""
        return Ref(APPLICATIONS.api_version, APPLICATIONS.kind, self.names.application(stage), ARGOCD)

    def pods(self, stage: str) -> WatchedPods:
        """The stage's pods of the service, of whatever release."""
        return WatchedPods(self.platform.cache, self.names.namespace(stage), {"app": SERVICE})

    def require_deployed(self, stage: str, version: str) -> None:
        """Raises NotDeployed unless the stage's Rollout asks for that release, whatever becomes of it."""
        rollout = self.platform.kube.get(self.rollout_ref(stage))
        containers = rollout["spec"]["template"]["spec"]["containers"]
        deployed = next(tag_of(each["image"]) for each in containers if each["name"] == SERVICE)
        if deployed != version:
            raise NotDeployed(f"the Rollout of {stage} asks for {deployed} instead of {version}")

    def require_one_operation(self, stage: str, promotion: str) -> None:
        """Raises NotDeployed unless Argo CD carried out just one operation that this Promotion asked for."""
        begun = sorted(self.application(stage).operations_of(promotion))
        if len(begun) != 1:
            times = f", begun at {', '.join(begun)}" if begun else ""
            raise NotDeployed(f"Argo CD carried out {len(begun)} operations for Promotion {promotion}{times}")

    def require_self_heal(self) -> None:
        """Raises NotDeployed for a stage whose Application leaves as it is what somebody changed by hand."""
        for stage in self.stages:
            policy = self.platform.kube.get(self.application_ref(stage))["spec"].get("syncPolicy") or {}
            if not (policy.get("automated") or {}).get("selfHeal"):
                raise NotDeployed(f"what is changed by hand in {stage} stays so: its Application's self-heal is off")

    def service_pod(self, stage: str, name: str) -> ServicePod:
        """A pod of the service in a stage, asked past its Service."""
        return ServicePod(self.platform.kube, self.names.namespace(stage), name)

    def has_config_map(self, stage: str, name: str) -> bool:
        """Whether the cluster has a ConfigMap of that name where the stage runs."""
        return self.platform.kube.find(Ref("v1", "ConfigMap", name, self.names.namespace(stage))) is not None

    def rollout_ref(self, stage: str) -> Ref:
        """Which Rollout runs the stage."""
        return Ref(ROLLOUTS.api_version, ROLLOUTS.kind, self.names.rollout, self.names.namespace(stage))

    def branch(self, stage: str) -> Branch:
        """What Git says the stage is to run."""
        return self.repository.branch(stage)

    def endpoint(self, stage: str) -> Endpoint:
        """The stage's stable service, at its NodePort."""
        return Endpoint(f"http://{self.platform.address}:{self.node_ports[stage]}")

    def probe(self, stage: str) -> Probe:
        """A probe of the stage's stable service, to be started."""
        return Probe(self.endpoint(stage))

    # --- inside

    def _fill_registry(self, versions: Sequence[str], stress: str) -> None:
        for version in versions:
            self.publish(version)
        self.platform.images.publish(self.names.image_path(_STRESS), _STRESS, stress)

    def _deploy(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.change(change)
        for stage in self.stages:
            commit = self.repository.render(stage, BASELINE).commit
            self.releases[stage] = Release(stage, BASELINE, commit, datetime.now(UTC), generation=0)
            let_all_pull(self.platform.kube, self.names.namespace(stage), self.platform.outside)
        if self.names.asks_for_login or not self.platform.trusts_git:
            self.platform.kube.apply(argocd_login(self.names, self.platform.account, verified=self.platform.trusts_git))
        self.platform.kube.apply(self._application_set())

    def _application_set(self) -> Manifest:
        manifest = self.repository.manifest("applicationset.yaml")
        stages = manifest["spec"]["generators"][0]["list"]
        stages["elements"] = [element for element in stages["elements"] if element["stage"] in self.stages]
        return manifest

    def _asks_for(self, release: Release) -> Release:
        self.releases[release.stage] = release
        self.refresh(release.stage)
        return release

    def _generation(self, stage: str) -> int:
        found = self.platform.kube.find(self.rollout_ref(stage))
        return int(found["metadata"]["generation"]) if found else 0

    def _generation_before(self, promotion: Promotion) -> int:
        namespace = self.names.namespace(promotion.stage)
        for snapshot in reversed(self.platform.cache.history()):
            if not has_begun(snapshot, self.names.project, promotion.name):
                found = snapshot.find(ROLLOUTS, namespace, self.names.rollout)
                return int(found["metadata"]["generation"]) if found else 0
        return 0
