"""The Kargo Project of a pipeline: made from `kargo/`, told what to do and looked at through its objects."""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from gitops_e2e.account import Account
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Ref, Resource
from gitops_e2e.pipeline import kargo
from gitops_e2e.pipeline.credentials import kargo_login
from gitops_e2e.pipeline.freight import AllFreight, Freight, WatchedFreight, is_there
from gitops_e2e.pipeline.names import SERVICE, STAGES, PipelineNames
from gitops_e2e.pipeline.pipeline import BASELINE, RELEASES
from gitops_e2e.pipeline.platform import Platform
from gitops_e2e.pipeline.promotion import NewestPromotion, WatchedPromotion
from gitops_e2e.pipeline.stage import Stage, WatchedStage
from gitops_e2e.pipeline.warehouse import Warehouse, WatchedWarehouse
from gitops_e2e.watching import Expectation, ExpectationFailed, expect

TASK = "promote"
"""The PromotionTask by which all stages promote."""

Edit = Callable[[Manifest], None]
"""A change of the objects in `kargo/`, made on each; it lets alone what it is not about."""

_OUTSIDE = "registry-outside"
_FILES = ("project.yml", "projectconfig.yml", "warehouse.yml", "promotiontask.yml", "stages.yml")
_BOUND = 60.0
_POLL = 0.1
_LOOK = 5.0


class ProjectNotRemoved(HarnessError):
    """The Project or its namespace is still there after the time that the removal may take."""


@dataclass(frozen=True)
class Project:
    """The Project, with everything that lives in its namespace."""

    names: PipelineNames
    platform: Platform

    # --- its life

    @staticmethod
    def create(platform: Platform, names: PipelineNames, edits: Sequence[Edit] = ()) -> Project:
        """Make the Project and all that `kargo/` has for it, edited; nothing stays of it where the rest fails.

        Raises KubeError with what was refused, RegistryRefused for a login that cannot be read.
        """
        project = Project(names, platform)
        try:
            for manifest in project.manifests(edits):
                platform.kube.create(manifest)
            project._log_in_outside()
        except BaseException:
            project.delete()
            raise
        return project

    def delete(self) -> None:
        """Remove the Project; its namespace goes with it, unwaited for. Raises ProjectNotRemoved; absent is fine."""
        deadline = time.monotonic() + _BOUND
        self._remove([self.ref(kargo.STAGES, stage) for stage in STAGES], deadline)
        self._remove([Ref(kargo.API_VERSION, "Project", self.names.project)], deadline)

    def manifests(self, edits: Sequence[Edit] = ()) -> list[Manifest]:
        """The objects of `kargo/` as this pipeline has them, in an order in which they can be created."""
        texts = (self.names.within(self.platform.kargo.joinpath(file).read_text()) for file in _FILES)
        manifests = [manifest for text in texts for manifest in yaml.safe_load_all(text)]
        for edit in edits:
            for manifest in manifests:
                edit(manifest)
        return manifests

    # --- what one tells it

    def create_object(self, manifest: Manifest) -> Manifest:
        """Create an object in the Project's namespace. Raises KubeError with what was refused."""
        metadata = {"namespace": self.names.project, **manifest["metadata"]}
        return self.platform.kube.create({**manifest, "metadata": metadata})

    def edit(self, resource: Resource, name: str, edit: Edit) -> None:
        """Change the spec of an object. Raises KubeError with what was refused."""
        ref = self.ref(resource, name)
        before = self.platform.kube.get(ref)
        after = copy.deepcopy(before)
        edit(after)
        gone = dict.fromkeys(before["spec"].keys() - after["spec"].keys())
        self.platform.kube.patch(ref, {"spec": {**after["spec"], **gone}})

    def label(self, resource: Resource, name: str, label: str, value: str) -> None:
        """Give an object a label."""
        self.platform.kube.patch(self.ref(resource, name), {"metadata": {"labels": {label: value}}})

    def log_in(self, account: Account, url: str, *, repository_type: str, is_pattern: bool = False) -> None:
        """Let the Project's one login be this, for a repository or for those that the pattern is found in.

        `{project}` in the address stands for the Project's name. Without a type the Secret lacks the label of logins.
        """
        where = url.replace("{project}", self.names.project)
        login = kargo_login(account, where, repository_type=repository_type, is_pattern=is_pattern)
        self.platform.kube.apply({**login, "metadata": {"namespace": self.names.project, **login["metadata"]}})

    def push(self, version: str) -> None:
        """Put a release of the service into the image repository: one that there is, or the newest under that tag."""
        image = version if version in RELEASES else RELEASES[-1]
        self.platform.images.publish(self.names.image_path(), SERVICE, image, as_tag=version)

    def move_tag(self, version: str) -> None:
        """Let a release's tag be of the baseline's image."""
        self.platform.images.publish(self.names.image_path(), SERVICE, BASELINE, as_tag=version)

    def withdraw(self, version: str) -> None:
        """Take a release out of the image repository."""
        self.platform.images.withdraw(self.names.image_path(), version)

    def look(self) -> WatchedWarehouse:
        """Let the Warehouse look for releases now; it is watched from its answer on."""
        token = self.ask(kargo.WAREHOUSES, self.names.warehouse, kargo.REFRESH)
        return WatchedWarehouse(self.platform.cache, self.names, token)

    def look_until(self, expectation: Expectation[Warehouse], *, within: float) -> Warehouse:
        """Let the Warehouse look again and again until what it finds is as expected. Raises ExpectationFailed."""
        deadline = time.monotonic() + within
        while True:
            try:
                return expect(self.look(), expectation, within=_LOOK)
            except ExpectationFailed as failed:
                if time.monotonic() > deadline:
                    raise failed.after(
                        f"the Warehouse looked again and again for {within:g} s, the last time:"
                    ) from None

    def ask(self, resource: Resource, name: str, annotation: str) -> str:
        """Let Kargo look at an object, by giving the annotation a new value: the one that is returned."""
        token = secrets.token_hex(4)
        self._annotate(resource, name, annotation, token)
        return token

    def refresh(self, stage: str) -> str:
        """Let a stage look at everything again now; it tells the value in `lastHandledRefresh` once it has."""
        return self.ask(kargo.STAGES, stage, kargo.REFRESH)

    def promote(
        self,
        stage: str,
        version: str,
        *,
        steps: Sequence[Manifest] = (),
        name: str = "",
        within: float = 0.0,
    ) -> WatchedPromotion:
        """Promote the Freight of a release, which is waited for, by hand: with the stage's own steps, or others.

        Raises KubeError when the Promotion is refused, ExpectationFailed where there is no such Freight.
        """
        freight = expect(self.freight(version), is_there(), within=within)
        manifest = self.promotion_manifest(stage, freight, steps=steps, name=name)
        created = self.create_object(manifest)
        return self.promotion(stage, created["metadata"]["name"])

    def promotion_manifest(
        self, stage: str, freight: Freight, *, steps: Sequence[Manifest] = (), name: str = ""
    ) -> Manifest:
        """A Promotion as a person writes it: Kargo does not copy the steps from the stage, so it has them."""
        spec = self.platform.kube.get(self.ref(kargo.STAGES, stage))["spec"]
        template = (spec.get("promotionTemplate") or {}).get("spec") or {}
        return {
            "apiVersion": kargo.API_VERSION,
            "kind": "Promotion",
            "metadata": {"name": name or kargo.promotion_name(stage, freight.name)},
            "spec": {
                "stage": stage,
                "freight": freight.name,
                "vars": [*spec.get("vars", []), *template.get("vars", [])],
                "steps": list(steps or template.get("steps", [])),
            },
        }

    def variant(self, name: str, edit: Edit) -> list[Manifest]:
        """Make an edited copy of the PromotionTask under that name; the steps of a Promotion that uses it."""
        task = self.platform.kube.get(self.ref(kargo.PROMOTION_TASKS, TASK))
        copied = {**task, "metadata": {"name": name}}
        edit(copied)
        self.create_object(copied)
        return [{"task": {"name": name}, "as": TASK}]

    def abort(self, promotion: str) -> None:
        """End a Promotion that is not over."""
        self._annotate(kargo.PROMOTIONS, promotion, kargo.ABORT, "terminate")

    def reverify(self, stage: str) -> None:
        """Let a stage repeat the newest verification of what it has. Raises HarnessError where there is none."""
        verification = Stage.of(self.platform.kube.get(self.ref(kargo.STAGES, stage))).verification
        if verification is None:
            raise HarnessError(f"stage {stage} of {self.names.project} has verified nothing that it could verify again")
        self._annotate(kargo.STAGES, stage, kargo.REVERIFY, verification.id)

    # --- how one looks at it

    def ref(self, resource: Resource, name: str) -> Ref:
        """Which object of the Project's namespace."""
        return Ref(resource.api_version, resource.kind, name, self.names.project)

    def warehouse(self) -> WatchedWarehouse:
        """The Warehouse, as it is."""
        return WatchedWarehouse(self.platform.cache, self.names)

    def freight(self, version: str) -> WatchedFreight:
        """The Freight of a release."""
        return WatchedFreight(self.platform.cache, self.names, version)

    def all_freight(self) -> AllFreight:
        """All Freight there is."""
        return AllFreight(self.platform.cache, self.names)

    def stage(self, name: str) -> WatchedStage:
        """A stage as Kargo has it."""
        return WatchedStage(self.platform.cache, self.names, name)

    def promotion(self, stage: str, name: str) -> WatchedPromotion:
        """A Promotion by name."""
        return WatchedPromotion(self.platform.cache, self.names, stage, name)

    def newest_promotion(self, version: str, stage: str) -> NewestPromotion:
        """The newest Promotion of a release to a stage, whoever created it."""
        return NewestPromotion(self.freight(version), stage)

    def promotions(self, stage: str) -> list[Manifest]:
        """All Promotions to a stage, by name."""
        found = self.platform.kube.list(kargo.PROMOTIONS, self.names.project)
        return sorted((each for each in found if each["spec"]["stage"] == stage), key=_name)

    # --- inside

    def _log_in_outside(self) -> None:
        outside = self.platform.outside
        if outside and (account := outside.account()):
            login = kargo_login(account, self.names.image_repository(), repository_type="image", name=_OUTSIDE)
            self.create_object(login)

    def _remove(self, refs: Sequence[Ref], deadline: float) -> None:
        for ref in refs:
            self.platform.kube.delete(ref)
        if left := self.platform.kube.await_absence(refs, deadline=deadline):
            raise ProjectNotRemoved(
                f"still there after {_BOUND:g} s: {', '.join(map(str, left))}",
                remedy="see whether the promotion engine runs, and which finalizers they have",
            )

    def _annotate(self, resource: Resource, name: str, annotation: str, value: str) -> None:
        self.platform.kube.patch(self.ref(resource, name), {"metadata": {"annotations": {annotation: value}}})


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def index_of(task: Manifest, alias: str) -> int:
    """Which of a PromotionTask's steps has that alias. Raises ValueError."""
    return [str(step["as"]) for step in task["spec"]["steps"]].index(alias)


def step_of(task: Manifest, alias: str) -> Manifest:
    """The step of a PromotionTask that has that alias. Raises ValueError."""
    step: Manifest = task["spec"]["steps"][index_of(task, alias)]
    return step
