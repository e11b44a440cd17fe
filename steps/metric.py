"""Steps about what Prometheus says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pytest_bdd import given, parsers, then, when

from gitops_e2e.harness import Harness
from gitops_e2e.kube import PODS
from gitops_e2e.pipeline.cache_reads import CacheReads
from gitops_e2e.pipeline.dashboard import Dashboard
from gitops_e2e.pipeline.memory import LIMIT, query_by_pod
from gitops_e2e.pipeline.metric import NoData, Prometheus, Sample
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.watching import Budgets

MEMORY = "container_memory_working_set_bytes"


@then("Prometheus scrapes the kubelet's containers")
def _(prometheus: Prometheus, budgets: Budgets) -> None:
    samples = prometheus.await_samples('up{job="cadvisor"}', within=budgets.metric_scraped)
    assert [sample.value for sample in samples] == [1], f"the kubelet's target is down: {samples[0]}"


@then("Prometheus scrapes every product-api pod of dev, staging and prod")
def _(harness: Harness, prometheus: Prometheus, pipeline: Pipeline, budgets: Budgets) -> None:
    for stage in ("dev", "staging", "prod"):
        namespace = pipeline.names.namespace(stage)
        pods = {pod["metadata"]["name"] for pod in harness.kube.list(PODS, namespace)}
        query = f'up{{job="pods", namespace="{namespace}"}} == 1'
        samples = prometheus.await_samples(query, within=budgets.metric_scraped, count=len(pods))
        scraped = {sample.labels["pod"] for sample in samples}
        assert scraped == pods, f"it scrapes {', '.join(scraped)}, and the pods are {', '.join(pods)}"


@then(
    parsers.parse("the memory query of {stage} gives a value for every canary pod, and for no other"),
    target_fixture="memory_by_pod",
)
def _(prometheus: Prometheus, pipeline: Pipeline, stage: str, budgets: Budgets) -> Sequence[Sample]:
    rollout = pipeline.rollout(stage).now()
    canary = {pod.name for pod in rollout.canary_pods}
    assert canary, rollout.state
    query = query_by_pod(
        pipeline.branch(stage).manifests(), namespace=pipeline.names.namespace(stage), canary_hash=rollout.release
    )
    samples = prometheus.await_samples(query, within=budgets.metric_scraped, count=len(canary))
    measured = {sample.labels["pod"] for sample in samples}
    assert measured == canary, f"it measures {', '.join(measured)}, and the canary is {', '.join(canary)}"
    assert all(sample.value > 0 for sample in samples), "; ".join(map(str, samples))
    return samples


@then("each value is the memory of the pod's own containers, each counted once")
def _(prometheus: Prometheus, pipeline: Pipeline, release: Release, memory_by_pod: Sequence[Sample]) -> None:
    containers = {
        pod.name: "|".join(container.name for container in pod.containers)
        for pod in pipeline.rollout(release.stage).now().canary_pods
    }
    namespace = pipeline.names.namespace(release.stage)
    for sample in memory_by_pod:
        pod = sample.labels["pod"]
        selector = f'namespace="{namespace}", pod="{pod}", container=~"{containers[pod]}"'
        own = prometheus.value(f"sum({MEMORY}{{{selector}}})", at=sample.at)
        assert sample.value == own, f"{sample} is not {own:.12g}, the sum of {containers[pod]}"


@then("a query for the memory of a pod that does not exist gives no data")
def _(prometheus: Prometheus) -> None:
    try:
        value = prometheus.value(f'{MEMORY}{{pod="there-is-no-such-pod"}}')
    except NoData:
        return
    pytest.fail(f"it gives {value:g}")


@then("a query for a number that is zero gives 0")
def _(prometheus: Prometheus) -> None:
    value = prometheus.value("vector(0)")
    assert value == 0, f"it gives {value:g}"


@given(parsers.parse("the stable pods of {stage} use more than 150 MB each"))
def _(prometheus: Prometheus, pipeline: Pipeline, stage: str, budgets: Budgets) -> None:
    stable = pipeline.rollout(stage).now()
    query = query_by_pod(
        pipeline.branch(stage).manifests(),
        namespace=pipeline.names.namespace(stage),
        canary_hash=stable.stable_release,
    )
    samples = prometheus.await_samples(f"({query}) > {LIMIT}", within=budgets.metric_scraped, count=stable.replicas)
    assert len(samples) == stable.replicas


@when(parsers.parse("the products of {stage} are read {times:d} times"), target_fixture="reads")
def _(harness: Harness, pipeline: Pipeline, stage: str, times: int) -> CacheReads:
    reads = CacheReads.begin(times, harness.kube, pipeline.names.namespace(stage))
    for _number in range(times):
        answer = pipeline.endpoint(stage).get("/products")
        assert answer.status == 200, str(answer)
    return reads


@then("no pod missed its cache more than once, and all other reads were hits")
def _(reads: CacheReads) -> None:
    misses, hits = reads.misses(), reads.hits()
    told = f"{reads.times} reads; misses by pod: {misses}; hits by pod: {hits}"
    assert all(count <= 1 for count in misses.values()), told
    assert sum(hits.values()) == reads.times - sum(misses.values()), told


@then("Prometheus tells the same hits and misses as the pods")
def _(prometheus: Prometheus, reads: CacheReads, budgets: Budgets) -> None:
    for metric, pod, value in reads.totals():
        query = f'{metric}{{namespace="{reads.namespace}", pod="{pod}"}} == {value:g}'
        prometheus.await_samples(query, within=budgets.metric_scraped)


@then(
    parsers.parse(
        "every query of the dashboard has an answer about {stage}, and about the canary where it tells releases apart"
    )
)
def _(prometheus: Prometheus, pipeline: Pipeline, stage: str, budgets: Budgets) -> None:
    canary = pipeline.rollout(stage).now().release
    for query in Dashboard.of(pipeline.repository.git.folder).queries:
        promql = query.filled(pipeline.names.namespace(stage))
        about = canary if query.tells_releases_apart else ""
        prometheus.await_answer(promql, about=about, within=budgets.metric_scraped)
