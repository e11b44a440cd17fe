"""Steps about the service's endpoints, as its users reach them."""

from __future__ import annotations

import re
from collections.abc import Callable

from pytest_bdd import parsers, then, when

from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.endpoint import Answer
from gitops_e2e.pipeline.pipeline import BASELINE, Pipeline
from gitops_e2e.pipeline.service_pod import ServicePod

ANSWERS: dict[str, Callable[[Answer, re.Match[str]], bool]] = {
    r"has (\S+)": lambda answer, match: re.search(rf"^{match[1]}[{{ ]", answer.text, re.MULTILINE) is not None,
    r"(\w+) is at least (\d+)": lambda answer, match: int(answer.json[match[1]]) >= int(match[2]),
    r"(\w+) is given": lambda answer, match: bool(answer.json[match[1]]),
    r"(\w+) is (\w+)": lambda answer, match: str(answer.json[match[1]]) == match[2],
}
"""What a feature may say of an answer."""


def answers_as(answer: Answer, wanted: str) -> bool:
    """Whether the answer is as the feature says. Raises ValueError for what no pattern knows."""
    for pattern, holds in ANSWERS.items():
        if match := re.fullmatch(pattern, wanted):
            return holds(answer, match)
    raise ValueError(f"{wanted!r} is none of: {', '.join(ANSWERS)}")


@then(parsers.parse("the endpoints of {stage} answer:"))
def _(pipeline: Pipeline, stage: str, datatable: list[list[str]]) -> None:
    for path, status, wanted in datatable[1:]:
        answer = pipeline.endpoint(stage).get(path)
        assert answer.status == int(status), answer
        assert answers_as(answer, wanted), f"{wanted!r} is not what {answer.url} says: {answer.text[:500]}"


@then(parsers.parse("every stage serves release {version}"))
def _(pipeline: Pipeline, version: str) -> None:
    for stage in pipeline.stages:
        answer = pipeline.endpoint(stage).get("/health")
        assert (answer.status, answer.json["version"], answer.version) == (200, version, version), answer


@when(parsers.parse("Redis goes away from one pod of {stage}"), target_fixture="service_pod")
def _(harness: Harness, pipeline: Pipeline, stage: str) -> ServicePod:
    pod = ServicePod.all_of(harness.kube, pipeline.names.namespace(stage))[0]
    pod.take_redis_away()
    return pod


@then("that pod's /ready answers 503, as redis is away")
def _(service_pod: ServicePod) -> None:
    answer = service_pod.get("/ready")
    assert answer.status == 503, answer
    assert "redis" in answer.json["reason"].lower(), answer


@then("that pod's /products still answers")
def _(service_pod: ServicePod) -> None:
    answer = service_pod.get("/products")
    assert answer.status == 200, answer
    assert answer.json["count"] >= 1, answer


@then(parsers.parse("{stage} goes on serving through its other pods"))
def _(pipeline: Pipeline, stage: str) -> None:
    for _attempt in range(12):
        answer = pipeline.endpoint(stage).get("/health")
        assert (answer.status, answer.version) == (200, BASELINE), answer
