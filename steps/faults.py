"""Steps about what goes wrong around a release: pods that go, people beside each other, parts that are away."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from fixtures.disturbances import Disturbances
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.analysis import analysis_successful
from gitops_e2e.pipeline.pipeline import Pipeline, Release
from gitops_e2e.pipeline.project import Project
from gitops_e2e.pipeline.promotion import WatchedPromotion, succeeds
from gitops_e2e.pipeline.rollout import has_no_pods_of
from gitops_e2e.watching import Budgets, expect


@when("the canary's pod is evicted")
def _(pipeline: Pipeline, release: Release) -> None:
    (pod,) = pipeline.rollout(release.stage).now().canary_pods
    pipeline.evict(release.stage, pod.name)


@when("a stable pod is evicted")
def _(pipeline: Pipeline, release: Release) -> None:
    rollout = pipeline.rollout(release.stage).now()
    pipeline.evict(release.stage, rollout.pods_of(rollout.stable_release)[0].name)


@when(
    parsers.parse("somebody sets the branch of {stage} back to release {version}"),
    target_fixture="release",
)
def _(pipeline: Pipeline, stage: str, version: str) -> Release:
    return pipeline.set_back(stage, version)


@then(parsers.parse("no pod of {version} remains in {stage}"))
def _(pipeline: Pipeline, version: str, stage: str, budgets: Budgets) -> None:
    expect(pipeline.rollout(stage), has_no_pods_of(version), within=budgets.rollout_settled)


@then(parsers.parse("the timeline of {stage} tells of a pod: {words}"))
def _(harness: Harness, pipeline: Pipeline, stage: str, words: str) -> None:
    told = [each.text for each in harness.cache.timeline.entries(pipeline.names.namespace(stage)) if each.kind == "Pod"]
    assert any(words in text for text in told), f"it tells of pods: {'; '.join(told)}"


@then("pods of the release became unready in between")
def _(harness: Harness, pipeline: Pipeline, release: Release) -> None:
    pods = pipeline.rollout(release.stage).now().release
    told = harness.cache.timeline.entries(pipeline.names.namespace(release.stage))
    unready = [each for each in told if each.what == "unready" and each.data["release"] == pods]
    assert unready, f"no pod of {release.version} was unready once it was ready"


@when(parsers.re(r"(?P<version>\S+) is promoted to (?P<stage>\w+) twice at once"), target_fixture="promotions")
def _(project: Project, version: str, stage: str) -> list[WatchedPromotion]:
    return [project.promote(stage, version) for _ in range(2)]


@then("both promotions succeed, one after the other")
def _(promotions: list[WatchedPromotion], budgets: Budgets) -> None:
    over = [expect(each, succeeds(), within=2 * budgets.promotion_over) for each in promotions]
    first, second = sorted(over, key=lambda each: each.name)
    assert first.finished
    assert second.started
    assert first.finished <= second.started, f"{second.name} began before {first.name} was over"


@when(parsers.re("(?P<component>Argo CD|Argo Rollouts) is killed, and comes back"))
def _(harness: Harness, component: str) -> None:
    harness.stack.kill(harness.stack.component(component))


@when(parsers.re("(the )?(?P<component>Prometheus|Git server) goes out of reach"))
def _(disturbances: Disturbances, component: str) -> None:
    disturbances.take_away(component)


@when(parsers.re("(the Git server|Prometheus) (comes back|answers at once again)"))
def _(disturbances: Disturbances) -> None:
    disturbances.end()


@when(parsers.re(r"(the )?(?P<component>Prometheus|Git server) takes (?P<seconds>\d+) seconds to answer"))
def _(disturbances: Disturbances, component: str, seconds: str) -> None:
    disturbances.slow_down(component, int(seconds))


@when(parsers.re(r"(?P<component>Argo CD|Argo Rollouts|Kargo) gets no time for (?P<seconds>\d+) seconds"))
def _(disturbances: Disturbances, component: str, seconds: str) -> None:
    disturbances.freeze(component, int(seconds))


@when("the API server is killed, and comes back")
def _(disturbances: Disturbances) -> None:
    disturbances.restart_api_server()


@when("the nodes take no more pods")
def _(disturbances: Disturbances) -> None:
    disturbances.close_nodes()


@when("the nodes take pods again")
def _(disturbances: Disturbances) -> None:
    disturbances.end()


@then(parsers.parse("each measurement took at least {seconds:d} seconds"))
def _(pipeline: Pipeline, release: Release, seconds: int, budgets: Budgets) -> None:
    run = expect(pipeline.analysis(release.stage), analysis_successful(), within=budgets.analysis_finished)
    taken = [measurement.seconds for measurement in run.measurements()]
    assert taken, f"{run.name} measured nothing"
    assert min(taken) >= seconds, f"its measurements took {', '.join(f'{each:g} s' for each in taken)}"
