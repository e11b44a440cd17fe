"""A project with one Stage, and Promotions to it that are carried out look by look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.names import promotion_name
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions import PromotionReconciler, WorkDirectories
from gitops_e2e.promoter.runtime import Stores, StoringKube
from gitops_e2e.promoter.steps import Services

ORIGIN = {"kind": "Warehouse", "name": "main"}
FREIGHT = "9e1b620de6465c93c714a94f6db7112374a6325e"
IMAGE = {"repoURL": "registry.example.com/app", "tag": "1.10", "digest": f"sha256:{'1' * 64}"}


class NoLogins:
    def find(self, project: str, repo_url: str) -> None:
        """Nobody has any."""


@dataclass
class Project:
    """A project; its Stage is called `test` and takes Freight directly from the Warehouse `main`."""

    namespace: str
    kube: StoringKube
    services: Services
    work: Path
    reconciler: PromotionReconciler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the reconciler anew, as another process would: nothing is left but what the API has."""
        self.reconciler = PromotionReconciler(self.kube, self.services, WorkDirectories(self.work))

    def add(self, kind: str, name: str, **fields: Any) -> Manifest:
        """Apply an object of Kargo's."""
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        return self.kube.apply({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **fields})

    def create(self, *steps: Manifest, current: bool = True, freight: str = FREIGHT, **spec: Any) -> Manifest:
        """Create a Promotion, which the Stage lets run unless it is not to be its current one."""
        metadata = spec.pop("metadata", {})
        promotion = self.kube.create(
            {
                "apiVersion": API_VERSION,
                "kind": "Promotion",
                "metadata": {"name": promotion_name("test", freight), "namespace": self.namespace, **metadata},
                "spec": {"stage": "test", "freight": freight, "steps": list(steps), **spec},
            }
        )
        if current:
            self.patch_stage(currentPromotion={"name": promotion["metadata"]["name"]})
        return promotion

    def look(self, promotion: Manifest) -> float | None:
        """Have the reconciler look at the Promotion as it is now."""
        return self.reconciler.reconcile(self.now(promotion))

    def now(self, promotion: Manifest) -> Manifest:
        """The Promotion as it is now."""
        return self.kube.get(Ref.of(promotion))

    def run(self, *steps: Manifest, **spec: Any) -> Manifest:
        """Create a Promotion and look at it once; its status."""
        promotion = self.create(*steps, **spec)
        self.look(promotion)
        return self.status(promotion)

    def status(self, promotion: Manifest) -> Manifest:
        """The Promotion's status now."""
        status: Manifest = self.now(promotion).get("status", {})
        return status

    def patch_stage(self, **status: Any) -> None:
        """Set fields of the Stage's status."""
        self.kube.patch(self.stage, {"status": status}, subresource="status")

    @property
    def stage(self) -> Ref:
        return Ref(API_VERSION, "Stage", "test", self.namespace)

    def events(self) -> Sequence[Manifest]:
        """The events of the project in their order."""
        found = self.kube.list(self.kube.resource("v1", "Event"), self.namespace)
        return sorted(found, key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))


@pytest.fixture
def services(kube: Kube, apiserver: Path, evaluator: Evaluator, kustomize: Path) -> Services:
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    storing = StoringKube(apiserver, Stores())
    return Services(storing, evaluator, NoLogins(), kustomize=kustomize, helm=Path("/nowhere/helm"))


@pytest.fixture
def project(namespace: str, services: Services, tmp_path: Path) -> Project:
    assert isinstance(services.kube, StoringKube)
    project = Project(namespace, services.kube, services, tmp_path / "work")
    project.add("Warehouse", "main", spec={"subscriptions": [{"image": {"repoURL": IMAGE["repoURL"]}}]})
    project.add("Stage", "test", spec={"requestedFreight": [{"origin": ORIGIN, "sources": {"direct": True}}]})
    project.add("Freight", FREIGHT, origin=ORIGIN, images=[IMAGE], alias="calm-cat")
    return project
