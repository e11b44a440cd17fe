from __future__ import annotations

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline import changes
from gitops_e2e.pipeline.memory import LIMIT, NoMemoryQuery, query_by_pod
from gitops_e2e.pipeline.repository import Repository


def template(repository: Repository) -> Manifest:
    (found,) = (each for each in repository.branch("prod").manifests() if each["kind"] == "AnalysisTemplate")
    return found


def test_the_limit_is_the_manifests_own(repository: Repository) -> None:
    repository.render("prod", "0.9.0")
    arguments = {each["name"]: each.get("value") for each in template(repository)["spec"]["args"]}
    assert arguments["memory-limit-bytes"] == str(LIMIT)


def test_the_query_of_prod_by_pod(repository: Repository) -> None:
    repository.render("prod", "0.9.0")
    query = query_by_pod(repository.branch("prod").manifests(), namespace="shop-prod", canary_hash="abc12")
    assert query.startswith("sum by (pod)")
    assert 'namespace="shop-prod"' in query
    assert 'pod=~"shop-rollout-abc12-.*"' in query
    assert "args." not in query


def test_a_stage_that_judges_by_answers_has_no_memory_query(repository: Repository) -> None:
    repository.render("dev", "0.9.0")
    with pytest.raises(NoMemoryQuery, match="0 Prometheus queries"):
        query_by_pod(repository.branch("dev").manifests(), namespace="shop-dev", canary_hash="abc12")


def test_a_query_that_takes_no_maximum_is_refused(repository: Repository) -> None:
    def edit(manifest: Manifest) -> None:
        manifest["spec"]["metrics"][0]["provider"]["prometheus"]["query"] = "sum(x)"

    repository.change(changes.edited("stages/prod/canary-check.yaml", edit, "Sum instead of taking the maximum"))
    repository.render("prod", "0.9.0")
    with pytest.raises(NoMemoryQuery, match="no maximum"):
        query_by_pod(repository.branch("prod").manifests(), namespace="shop-prod", canary_hash="abc12")
