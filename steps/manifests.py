"""Steps that change a pipeline's manifests on main, or tell what they say."""

from __future__ import annotations

from pytest_bdd import given, parsers, when

from gitops_e2e.pipeline import changes
from gitops_e2e.pipeline.analysis_changes import memory_of_before
from gitops_e2e.pipeline.pipeline import Pipeline


@given(parsers.parse("the canary pauses for {seconds:d} seconds"))
def _(pipeline: Pipeline, seconds: int) -> None:
    pipeline.change(changes.pauses(seconds))


@given(parsers.parse("a canary has {seconds:d} seconds to make progress"))
def _(pipeline: Pipeline, seconds: int) -> None:
    pipeline.change(changes.progress_deadline(seconds))


@given("release 1.0.0 never gets ready")
def _(pipeline: Pipeline) -> None:
    pipeline.change(changes.never_ready())


@given(parsers.parse("release 1.0.0 is ready and unready by turns for {seconds:d} seconds"))
def _(pipeline: Pipeline, seconds: int) -> None:
    pipeline.change(changes.flaps(seconds))


@given("release 1.0.0 says that it is unhealthy")
def _(pipeline: Pipeline) -> None:
    pipeline.change(changes.environment("FAULT_UNHEALTHY", "true"))


@given(parsers.parse("release 1.0.0 fails {percent:d} of 100 requests for products"))
def _(pipeline: Pipeline, percent: int) -> None:
    pipeline.change(changes.environment("FAULT_ERROR_RATE", f"{percent / 100:g}"))


@given(parsers.parse("release 1.0.0 takes {milliseconds:d} ms for a request for products"))
def _(pipeline: Pipeline, milliseconds: int) -> None:
    pipeline.change(changes.environment("FAULT_LATENCY_MS", str(milliseconds)))


@given(parsers.parse("release 1.0.0 takes {mebibytes:d} MiB of memory"))
def _(pipeline: Pipeline, mebibytes: int) -> None:
    pipeline.change(changes.environment("FAULT_MEMORY_MIB", str(mebibytes)))


@given("the canary is not asked for its health")
def _(pipeline: Pipeline) -> None:
    pipeline.change(changes.no_canary_metric("health"))


@given("the analysis of prod asks a Prometheus that is not there")
def _(pipeline: Pipeline) -> None:
    pipeline.change(changes.prometheus_address("http://not-there.monitoring.svc.cluster.local:9090"))


@given("the analysis of prod asks for a metric that nothing reports")
def _(pipeline: Pipeline) -> None:
    pipeline.change(changes.memory_metric("a_metric_that_nothing_reports"))


@given(parsers.parse("the analysis of prod asks by a clock that is {minutes:d} minutes slow"))
def _(pipeline: Pipeline, minutes: int) -> None:
    pipeline.change(memory_of_before(minutes))


@given(parsers.parse("the ConfigMap {name} is taken out of main"))
def _(pipeline: Pipeline, name: str) -> None:
    pipeline.change(changes.no_config_map(name))


@given(parsers.parse("{stage} carries a sidecar that allocates {mebibytes:d} MiB"))
def _(pipeline: Pipeline, stage: str, mebibytes: int) -> None:
    containers = pipeline.branch(stage).containers()
    assert "stress" in containers, f"{stage} carries no sidecar: its pods have {', '.join(containers)}"
    arguments = containers["stress"]["args"]
    assert f"{mebibytes}M" in arguments, f"the sidecar of {stage} runs with other arguments: {' '.join(arguments)}"


@when(parsers.parse("{stage} no longer carries the sidecar, by a commit on main"))
def _(pipeline: Pipeline, stage: str) -> None:
    pipeline.change(changes.no_stress_sidecar(stage))
