"""Steps about requests of users to a stage."""

from __future__ import annotations

from pytest_bdd import given, parsers, when

from gitops_e2e.pipeline.load import put_under_load
from gitops_e2e.pipeline.metric import Prometheus
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.rollout import is_paused_at
from gitops_e2e.watching import Budgets, expect


@given(parsers.parse("the canary and the stable pods of {stage} are asked for products, {rate:d} times a second each"))
def _(pipeline: Pipeline, prometheus: Prometheus, stage: str, rate: int, budgets: Budgets) -> None:
    names = pipeline.names
    for service in (names.canary_service, names.stable_service):
        put_under_load(pipeline, stage, service, rate=rate)
    selector = f'namespace="{names.namespace(stage)}", route="/products"'
    # Both are, if it is clearly more than one of them makes.
    asked = f"sum(rate(http_requests_total{{{selector}}}[10s])) > {1.5 * rate}"
    prometheus.await_samples(asked, within=budgets.metric_scraped)


@when(parsers.parse("each canary pod of {stage} is asked for products, once"))
def _(pipeline: Pipeline, release: Release, stage: str, budgets: Budgets) -> None:
    assert release.stage == stage
    rollout = expect(pipeline.rollout(stage), is_paused_at(20), within=budgets.canary_started)
    assert rollout.canary_pods
    for pod in rollout.canary_pods:
        answer = pipeline.service_pod(stage, pod.name).get("/products")
        assert answer.status == 200, str(answer)
