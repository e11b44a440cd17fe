"""When a Warehouse looks, what it makes of what it finds, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_e2e.kube import KubeError, Ref
from tests.promoter.warehouses.conftest import Project, conditions, subscription, until
from tests.promoter.warehouses.git_repository import GitRepository
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

ALREADY = "Freight composed of the newest artifacts already exists"


# --- what becomes of what was found


def test_freight_is_made_of_all_subscriptions(
    project: Project, registry: RegistryServer, new_repository: Callable[[], tuple[GitRepository, str]]
) -> None:
    repository, url = new_repository()
    commit = repository.commit("init", at="2026-01-01T00:00:00Z")
    repository.tag("v1.0.0")
    for name in ("api", "web"):
        registry.push(f"{project.name}/{name}", "1.0.0", annotations={"name": name})
    by_tag = {"repoURL": url, "commitSelectionStrategy": "SemVer"}
    project.warehouse(
        "all",
        subscription(registry, f"{project.name}/web"),
        {"git": by_tag},
        subscription(registry, f"{project.name}/api"),
    )
    status = project.until_ready("all")
    assert conditions(status)["Ready"][2] == "Successfully discovered artifacts from 3 subscriptions"
    (freight,) = project.freight("all")
    assert [(image["repoURL"], image["annotations"]) for image in freight["images"]] == [
        (f"{registry.host}/{project.name}/{name}", {"name": name}) for name in ("web", "api")
    ]
    people = {"author": "a <a@b>", "committer": "a <a@b>"}
    assert freight["commits"] == [{"repoURL": url, "id": commit, "tag": "v1.0.0", "message": "init", **people}]


def test_nothing_is_made_when_one_subscription_finds_nothing(
    project: Project, registry: RegistryServer, new_repository: Callable[[], tuple[GitRepository, str]]
) -> None:
    repository, url = new_repository()
    repository.commit("init", at="2026-01-01T00:00:00Z")
    registry.push(f"{project.name}/api", "1.0.0")
    tagless = {"repoURL": url, "commitSelectionStrategy": "NewestTag"}
    project.warehouse("half", subscription(registry, f"{project.name}/api"), {"git": tagless})
    status = project.until_ready("half", "MissingCommits")
    message = f'No commits discovered for Git repository "{url}"'
    assert conditions(status) == {
        "Ready": ("False", "MissingCommits", message),
        "Healthy": ("False", "NoCommitsDiscovered", message),
    }
    assert status["observedGeneration"] == 1
    assert project.freight("half") == []


def test_criteria_decide_about_freight(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    registry.push(repository, "1.0.0")
    expression = f"imageFrom('{registry.host}/{repository}').Tag != '1.0.0'"
    criteria = {"expression": expression}
    project.warehouse("picky", subscription(registry, repository), freightCreationCriteria=criteria)
    status = project.until_ready("picky")
    assert conditions(status)["FreightCreationCriteriaSatisfied"] == (
        "False",
        "CriteriaNotSatisfied",
        "Freight creation criteria were not satisfied",
    )
    assert "FreightCreated" not in conditions(status)
    assert project.freight("picky") == []

    registry.push(repository, "1.1.0")
    status = project.refresh("picky", "1")
    assert conditions(status)["FreightCreationCriteriaSatisfied"][:2] == ("True", "CriteriaSatisfied")
    assert len(project.freight("picky")) == 1


def test_criteria_that_cannot_be_evaluated_are_told(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    registry.push(repository, "1.0.0")
    project.warehouse("wrong", subscription(registry, repository), freightCreationCriteria={"expression": "1 +"})
    status = project.until_ready("wrong", "CriteriaEvaluationFailed")
    told = conditions(status)
    assert told.keys() == {"Ready", "Healthy"}
    assert told["Ready"] == told["Healthy"]
    assert told["Ready"][2].startswith("Evaluation of Freight creation criteria failed: unexpected token EOF")


def test_a_refusal_of_freight_is_told_and_tried_again(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    registry.push(repository, "1.0.0")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": project.name}}
    hard = {"count/freights.kargo.akuity.io": "0"}
    project.kube.create({**quota, "spec": {"hard": hard}})
    reference = Ref("v1", "ResourceQuota", "none", project.name)
    # Nobody counts here: what the quota's controller would write, the test does.
    project.kube.patch(reference, {"status": {"hard": hard, "used": {next(iter(hard)): "0"}}}, subresource="status")
    project.warehouse("refused", subscription(registry, repository))
    status = project.until_ready("refused", "FreightCreationFailure")
    told = conditions(status)
    assert told["Ready"][2].startswith('Error creating Freight "')
    assert f'" in namespace "{project.name}": ' in told["Ready"][2]
    assert "exceeded quota" in told["Ready"][2]
    assert told["Healthy"] == ("False", "FreightBuildFailure", told["Ready"][2])
    assert "observedGeneration" not in status
    # Raised, not deleted: without any quota in the namespace, an API server goes by one it looked up itself for 30 s.
    project.kube.patch(reference, {"status": {"hard": dict.fromkeys(hard, "1")}}, subresource="status")
    project.until_ready("refused")
    assert len(project.freight("refused")) == 1


# --- when it looks


def test_a_change_of_the_spec_is_followed(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    for tag in ("1.0.0", "2.0.0"):
        registry.push(repository, tag)
    project.warehouse("changing", subscription(registry, repository, constraint="^1"))
    project.until_ready("changing")
    entry = subscription(registry, repository, constraint="^2")
    project.kube.patch(project.ref("changing"), {"spec": {"subscriptions": [entry]}})
    until("observed", lambda: project.status("changing").get("observedGeneration") == 2)
    assert [freight["images"][0]["tag"] for freight in project.freight("changing")] == ["1.0.0", "2.0.0"]


def test_a_registry_goes_away_and_comes_back(
    project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = RegistryServer(tmp_path)
    registry.start()
    registry.push("api", "1.0.0")
    project.warehouse("away", subscription(registry, "api"))
    project.until_ready("away")
    registry.stop()

    # What was found before is still good, so the failure is told and then passes, as the next look is not due.
    status = project.refresh("away", "1")
    refused = f'Get "http://{registry.host}/v2/": dial tcp {registry.host}: connect: connection refused'
    until("failure", lambda: refused in caplog.text)
    project.until_ready("away")
    assert status["discoveredArtifacts"] == project.status("away")["discoveredArtifacts"]

    # A new Warehouse has nothing to fall back on.
    project.warehouse("new", subscription(registry, "api"))
    status = project.until_ready("new", "DiscoveryFailure")
    assert conditions(status)["Healthy"][:2] == ("False", "DiscoveryFailed")
    assert refused in conditions(status)["Healthy"][2]
    assert "observedGeneration" not in status

    registry.start()
    try:
        project.until_ready("new")
        assert len(project.freight("new")) == 1
    finally:
        registry.stop()


def test_freight_that_is_there_already_is_not_made_again(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    registry.push(repository, "1.0.0")
    project.warehouse("twice", subscription(registry, repository))
    name = project.until_ready("twice")["lastFreightID"]
    status = project.refresh("twice", "1")
    assert conditions(status)["FreightCreated"] == ("False", "AlreadyExists", ALREADY)
    assert [freight["metadata"]["name"] for freight in project.freight("twice")] == [name]


def test_manual_warehouses_only_look(project: Project, registry: RegistryServer) -> None:
    repository = f"{project.name}/api"
    registry.push(repository, "1.0.0")
    project.warehouse("manual", subscription(registry, repository), freightCreationPolicy="Manual")
    status = project.until_ready("manual")
    assert conditions(status).keys() == {"Ready", "Healthy"}
    assert status["discoveredArtifacts"]["images"][0]["references"][0]["tag"] == "1.0.0"
    assert project.freight("manual") == []


def test_charts_are_not_looked_for(project: Project) -> None:
    with pytest.raises(KubeError, match="not supported by the embedded engine: Helm chart subscriptions"):
        project.warehouse("chart", {"chart": {"repoURL": "oci://example.test/chart"}})
