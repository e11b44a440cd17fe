"""What one may ask of Kargo that is wrong in one way each, by what is wrong: it refuses most of it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import KubeError, Manifest, Ref
from gitops_e2e.pipeline import kargo
from gitops_e2e.pipeline.freight import Freight, is_there
from gitops_e2e.pipeline.kargo_edits import NOTHING_TO_DEPLOY
from gitops_e2e.pipeline.project import Project
from gitops_e2e.watching import expect

ACCEPTED = "accepted"


def is_as_expected(answer: str, expected: str) -> bool:
    """Whether an answer is ACCEPTED where that is expected, or a refusal with these words."""
    return answer == expected if ACCEPTED in {answer, expected} else expected in answer


_NOWHERE = "http://nowhere.invalid/x.git"


@dataclass(frozen=True)
class Requests:
    """Requests within a Project, and two pieces of its Freight: one in use in its stages, and one in none."""

    project: Project
    used: Freight
    unused: Freight

    @staticmethod
    def within(project: Project, used: str, unused: str) -> Requests:
        """Requests about the Freight of two releases. Raises ExpectationFailed where it is not there."""
        return Requests(
            project, *(expect(project.freight(version), is_there(), within=0) for version in (used, unused))
        )

    def answer(self, wrong: str) -> str:
        """What the API server answers to the request in which that is wrong: its message, or ACCEPTED."""
        try:
            REQUESTS[wrong](self)
        except KubeError as refused:
            return refused.message
        return ACCEPTED

    # --- what can be asked for

    def promotion(
        self, steps: Sequence[Manifest] = (NOTHING_TO_DEPLOY,), *, to: str = "dev", freight: str = ""
    ) -> Manifest:
        """Ask for a Promotion; what it is of is not in use, unless said otherwise."""
        name = freight or self.unused.name
        spec = {"stage": to, "freight": name, "steps": list(steps)}
        return self._create("Promotion", kargo.promotion_name(to, name), spec)

    def stage(self, *requested: Manifest, steps: Sequence[Manifest] = (), namespace: str = "") -> Manifest:
        """Ask for a stage that requests that Freight."""
        spec: Manifest = {"requestedFreight": list(requested)}
        if steps:
            spec["promotionTemplate"] = {"spec": {"steps": list(steps)}}
        return self._create("Stage", "wrong", spec, namespace)

    def warehouse(self, *images: Manifest) -> Manifest:
        """Ask for a Warehouse with these subscriptions."""
        return self._create("Warehouse", "wrong", {"subscriptions": [{"image": image} for image in images]})

    def task(self) -> Manifest:
        """Ask for a PromotionTask without steps."""
        return self._create("PromotionTask", "wrong", {"steps": []})

    def project_over_namespace(self) -> None:
        """Ask for a Project whose namespace is there and belongs to nobody."""
        kube, name = self.project.platform.kube, f"{self.project.names.id}-plain"
        namespace: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        kube.create(namespace)
        try:
            kube.create({"apiVersion": kargo.API_VERSION, "kind": "Project", "metadata": {"name": name}})
        finally:
            kube.delete(Ref.of(namespace))

    def patch_promotion(self) -> None:
        """Ask for a Promotion to be of other Freight."""
        made = self.promotion()
        self.project.platform.kube.patch(Ref.of(made), {"spec": {"freight": self.used.name}})

    def patch_freight(self) -> None:
        """Ask for Freight to consist of something else."""
        freight = self.project.ref(kargo.FREIGHTS, self.unused.name)
        self.project.platform.kube.patch(freight, {"images": [{"repoURL": "a/b", "tag": "1"}]})

    def delete_freight(self) -> None:
        """Ask for Freight that is in use to be deleted."""
        self.project.platform.kube.delete(self.project.ref(kargo.FREIGHTS, self.used.name))

    def request(self, **sources: object) -> Manifest:
        """Freight of the Project's Warehouse from these sources."""
        return {"origin": {"kind": "Warehouse", "name": self.project.names.warehouse}, "sources": sources}

    def image(self, constraint: str = "^1.0.0", repository: str = "") -> Manifest:
        """A subscription to an image repository."""
        return {"repoURL": repository or self.project.names.image_repository(), "constraint": constraint}

    def _create(self, kind: str, name: str, spec: Manifest, namespace: str = "") -> Manifest:
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        return self.project.create_object(
            {"apiVersion": kargo.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
        )


def _step(uses: str, **config: object) -> list[Manifest]:
    return [{"uses": uses, **({"config": config} if config else {})}]


def _named(*names: str) -> list[Manifest]:
    return [{**NOTHING_TO_DEPLOY, "as": name} for name in names]


REQUESTS: Mapping[str, Callable[[Requests], object]] = {
    "a promotion of Freight that is not available to the stage": lambda ask: ask.promotion(to="prod"),
    "a promotion to a stage that does not exist": lambda ask: ask.promotion(to="nope"),
    "a promotion of Freight that does not exist": lambda ask: ask.promotion(freight="deadbeef"),
    "a promotion without steps": lambda ask: ask.promotion([]),
    "a promotion by a task that does not exist": lambda ask: ask.promotion([{"task": {"name": "missing"}}]),
    "a promotion with a step of no known kind": lambda ask: ask.promotion(_step("no-such-step")),
    "a promotion with a step that lacks configuration": lambda ask: ask.promotion(_step("git-clone", checkout=[])),
    "a promotion with a variable that is not defined": lambda ask: ask.promotion(
        _step("compose-output", value="${{ vars.no.such }}")
    ),
    "a promotion that clones from nowhere": lambda ask: ask.promotion(
        _step("git-clone", repoURL=_NOWHERE, checkout=[{"path": "."}])
    ),
    "a promotion that builds an overlay that does not exist": lambda ask: ask.promotion(
        _step("kustomize-build", path="missing", outPath="out")
    ),
    "a promotion that syncs an Application that does not exist": lambda ask: ask.promotion(
        _step("argocd-update", apps=[{"name": "missing"}])
    ),
    "a promotion that changes its Freight": Requests.patch_promotion,
    "a stage with two steps of one name": lambda ask: ask.stage(ask.request(direct=True), steps=_named("a", "a")),
    "a stage with a step whose name is reserved": lambda ask: ask.stage(
        ask.request(direct=True), steps=_named("step-1")
    ),
    "a stage that requests no Freight": lambda ask: ask.stage(),
    "a stage that requests Freight from nowhere": lambda ask: ask.stage(ask.request()),
    "a stage that requests the same Freight twice": lambda ask: ask.stage(*[ask.request(direct=True)] * 2),
    "a stage in a namespace that is no project": lambda ask: ask.stage(ask.request(direct=True), namespace="default"),
    "a Warehouse with a constraint that is none": lambda ask: ask.warehouse(ask.image("not-a-range")),
    "a Warehouse that looks twice at one place": lambda ask: ask.warehouse(ask.image(), ask.image()),
    "a Warehouse whose registry does not exist": lambda ask: ask.warehouse(ask.image(repository="127.0.0.1:9/x")),
    "a project whose namespace is somebody else's": Requests.project_over_namespace,
    "Freight that changes": Requests.patch_freight,
    "Freight that goes while it is in use": Requests.delete_freight,
    "a task without steps": Requests.task,
}
"""What can be wrong, in a feature's words."""
