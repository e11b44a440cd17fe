"""What the demo says of its manifests: steps, stages, ports, and who may decide about a canary in prod."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.names import DEMO, REGISTRY, STAGES, PipelineNames
from gitops_e2e.pipeline.node_ports import DEMO_PORTS
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.promoter.expressions import Evaluator

NAMES = PipelineNames(DEMO)
LIMIT = 150 * 1024 * 1024

Rendered = Callable[[str], list[Manifest]]


@pytest.fixture
def named(rendered: Rendered) -> Callable[[str, str], Manifest]:
    def find(stage: str, name: str) -> Manifest:
        (manifest,) = (manifest for manifest in rendered(stage) if manifest["metadata"]["name"] == name)
        return manifest

    return find


Named = Callable[[str, str], Manifest]


def containers(rollout: Manifest) -> dict[str, Any]:
    return {container["name"]: container for container in rollout["spec"]["template"]["spec"]["containers"]}


@pytest.mark.parametrize("stage", STAGES)
def test_everything_of_a_stage_is_in_its_namespace(stage: str, rendered: Rendered) -> None:
    assert {manifest["metadata"]["namespace"] for manifest in rendered(stage)} == {NAMES.namespace(stage)}


@pytest.mark.parametrize("stage", STAGES)
def test_users_reach_a_stage_at_its_node_port(stage: str, named: Named) -> None:
    service = named(stage, NAMES.stable_service)["spec"]
    assert service["type"] == "NodePort"
    assert service["ports"] == [
        {"name": "http", "port": 3000, "targetPort": "http", "nodePort": DEMO_PORTS[stage]},
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_the_canary_goes_in_the_steps_of_the_demo(stage: str, named: Named) -> None:
    canary = named(stage, NAMES.rollout)["spec"]["strategy"]["canary"]
    words = [next(iter(step)) for step in canary["steps"]]
    assert words == ["setWeight", "pause", "analysis", "setWeight", "pause", "setWeight"]
    assert [step["setWeight"] for step in canary["steps"] if "setWeight" in step] == [20, 50, 100]
    assert [step["pause"]["duration"] for step in canary["steps"] if "pause" in step] == ["30s", "30s"]
    assert (canary["stableService"], canary["canaryService"]) == (NAMES.stable_service, NAMES.canary_service)


@pytest.mark.parametrize("stage", STAGES)
def test_the_analysis_is_told_the_namespace_and_the_canary(stage: str, named: Named) -> None:
    steps = named(stage, NAMES.rollout)["spec"]["strategy"]["canary"]["steps"]
    (analysis,) = (step["analysis"] for step in steps if "analysis" in step)
    assert analysis == {
        "templates": [{"templateName": "canary-check"}],
        "args": [
            {"name": "namespace", "value": NAMES.namespace(stage)},
            {"name": "canary-hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
        ],
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_begins_with_the_baseline(stage: str, named: Named) -> None:
    service = containers(named(stage, NAMES.rollout))["product-api"]
    assert service["image"] == f"{NAMES.image_repository()}:0.9.0"
    assert service["image"].startswith(REGISTRY)


@pytest.mark.parametrize("stage", STAGES)
def test_a_pod_has_time_to_drain(stage: str, named: Named) -> None:
    rollout = named(stage, NAMES.rollout)
    (drain,) = (int(variable["value"]) for variable in containers(rollout)["product-api"]["env"])
    longest_request = 5
    assert rollout["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > drain + longest_request


@pytest.mark.parametrize("stage", STAGES)
def test_an_ending_pod_counts_as_ready_for_about_half_of_its_drain_period(stage: str, named: Named) -> None:
    service = containers(named(stage, NAMES.rollout))["product-api"]
    (drain,) = (int(variable["value"]) for variable in service["env"])
    probe = service["readinessProbe"]
    assert drain / 3 <= probe["periodSeconds"] * probe["failureThreshold"] <= drain * 2 / 3


def test_only_prod_carries_the_stress_sidecar(named: Named) -> None:
    sidecars = {stage: sorted(containers(named(stage, NAMES.rollout))) for stage in STAGES}
    assert sidecars == {
        "dev": ["product-api", "redis"],
        "staging": ["product-api", "redis"],
        "prod": ["product-api", "redis", "stress"],
    }


@pytest.mark.parametrize("stage", ["dev", "staging"])
def test_dev_and_staging_judge_by_answers(stage: str, named: Named) -> None:
    metrics = named(stage, "canary-check")["spec"]["metrics"]
    asked = {metric["provider"]["web"]["url"]: metric["successCondition"] for metric in metrics}
    root = f"http://{NAMES.canary_service}.{{{{args.namespace}}}}.svc.cluster.local:3000"
    assert asked == {f"{root}/health": 'result == "healthy"', f"{root}/products": "result >= 1"}


def test_prod_judges_by_the_memory_of_the_canary_alone(named: Named) -> None:
    (metric,) = named("prod", "canary-check")["spec"]["metrics"]
    query = metric["provider"]["prometheus"]["query"]
    assert 'namespace="{{args.namespace}}"' in query
    assert f'pod=~"{NAMES.rollout}-{{{{args.canary-hash}}}}-.*"' in query
    assert 'container!=""' in query
    assert 'container!="POD"' in query


def test_the_memory_limit_that_decides_is_written_once() -> None:
    texts = [path.read_text() for path in MANIFESTS.rglob("*.yaml") if path.parent.name != "monitoring"]
    assert sum(text.count(str(LIMIT)) for text in texts) == 1


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ([str(LIMIT - 1)], "Successful"),
        ([str(LIMIT)], "Successful"),
        ([str(LIMIT + 1)], "Failed"),
        (["0"], "Successful"),
        ([], "Inconclusive"),
        (["NaN"], "Inconclusive"),
    ],
)
def test_only_a_number_decides(result: list[str], verdict: str, named: Named, evaluator: Evaluator) -> None:
    spec = named("prod", "canary-check")["spec"]
    limit = next(argument["value"] for argument in spec["args"] if argument["name"] == "memory-limit-bytes")
    (metric,) = spec["metrics"]
    succeeds, fails = (
        evaluator.holds(metric[name].replace("{{args.memory-limit-bytes}}", limit), samples=result)
        for name in ("successCondition", "failureCondition")
    )
    assert {(True, False): "Successful", (False, True): "Failed", (False, False): "Inconclusive"}[
        succeeds, fails
    ] == verdict


def test_no_data_ends_the_run_before_the_count_is_full(named: Named) -> None:
    (metric,) = named("prod", "canary-check")["spec"]["metrics"]
    assert metric["inconclusiveLimit"] + 1 < metric["count"]


def test_the_application_set_follows_each_stage_branch() -> None:
    application_set = yaml.safe_load((MANIFESTS / "applicationset.yaml").read_text())["spec"]
    (generator,) = application_set["generators"]
    assert generator["list"]["elements"] == [{"stage": stage} for stage in STAGES]
    template = application_set["template"]
    assert template["metadata"]["annotations"] == {"kargo.akuity.io/authorized-stage": f"{DEMO}:{{{{.stage}}}}"}
    assert template["spec"]["source"]["targetRevision"] == "stage/{{.stage}}"
    assert template["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
