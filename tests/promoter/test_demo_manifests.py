"""The demo's Kargo resources on a real API server with the engine's webhooks: accepted whole, and ready to promote."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api import freights
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.stages import promotion_vars, template_steps
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions.records import Records
from gitops_e2e.promoter.promotions.scope import Scope
from gitops_e2e.promoter.steps import KINDS

pytestmark = pytest.mark.node

KARGO = Path(__file__).parents[2] / "kargo"
PROJECT = "kargo-demo"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OUTPUTS = {
    "promote::update-image": {"commitMessage": "Updated ./src/base to use new image"},
    "promote::push": {"branch": "stage/dev", "commit": COMMIT, "commitURL": ""},
}


@pytest.fixture(scope="module")
def demo(admitted: Kube, kubectl: str) -> Iterator[Kube]:
    """The server with everything of `kargo/`, in which a field that no schema knows would have been an error."""
    for file in ("project.yml", "projectconfig.yml", "warehouse.yml", "promotiontask.yml", "stages.yml"):
        subprocess.run(
            [kubectl, f"--kubeconfig={admitted.kubeconfig}", "create", "--validate=strict", "-f", KARGO / file],
            check=True,
            timeout=60,
        )
    yield admitted
    admitted.delete(Ref(API_VERSION, "Project", PROJECT))


@pytest.fixture(scope="module")
def freight(demo: Kube) -> Manifest:
    (warehouse,) = yaml.safe_load_all((KARGO / "warehouse.yml").read_text())
    repository = warehouse["spec"]["subscriptions"][0]["image"]["repoURL"]
    return demo.create(
        {
            "apiVersion": API_VERSION,
            "kind": "Freight",
            "metadata": {"name": "any", "namespace": PROJECT},
            "origin": {"kind": "Warehouse", "name": warehouse["metadata"]["name"]},
            "images": [{"repoURL": repository, "tag": "1.10", "digest": f"sha256:{'a' * 64}"}],
        }
    )


@pytest.fixture(scope="module")
def promotion(demo: Kube, freight: Manifest) -> Manifest:
    """A Promotion to dev, made as the engine makes it."""
    stage = demo.get(Ref(API_VERSION, "Stage", "dev", PROJECT))
    spec = {
        "stage": "dev",
        "freight": freight["metadata"]["name"],
        "vars": promotion_vars(stage),
        "steps": template_steps(stage),
    }
    metadata = {"name": "dev.by-hand", "namespace": PROJECT}
    return demo.create({"apiVersion": API_VERSION, "kind": "Promotion", "metadata": metadata, "spec": spec})


def test_the_task_becomes_the_seven_steps_of_a_promotion(promotion: Manifest) -> None:
    assert [step["as"] for step in promotion["spec"]["steps"]] == [
        "promote::clone",
        "promote::clear",
        "promote::update-image",
        "promote::build",
        "promote::commit",
        "promote::push",
        "promote::sync",
    ]


def test_the_steps_configs_are_valid_once_their_expressions_are_evaluated(
    demo: Kube, evaluator: Evaluator, promotion: Manifest, freight: Manifest
) -> None:
    scope = Scope.of(
        demo, evaluator, promotion, target=freights.reference(freight), requested=[freights.origin(freight)]
    )
    configs = {}
    for step in promotion["spec"]["steps"]:
        config = scope.enter(step, Records([]), OUTPUTS).render(step["config"])
        assert evaluator.validate(KINDS[step["uses"]].schema, config) == []
        configs[step["uses"]] = config
    assert configs["git-clone"]["checkout"][1] == {"branch": "stage/dev", "create": True, "path": "./out"}
    assert configs["kustomize-set-image"]["images"][0]["tag"] == "1.10"
    assert configs["kustomize-build"]["path"] == "./src/stages/dev"
    (app,) = configs["argocd-update"]["apps"]
    assert app["name"] == "kargo-demo-dev"
    assert app["sources"][0]["desiredRevision"] == COMMIT
