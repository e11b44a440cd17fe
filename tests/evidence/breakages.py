"""Ten ways in which a pipeline breaks, as its controllers report them: what they were recorded to say, or said."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from gitops_e2e.kube import PODS, Manifest
from gitops_e2e.pipeline import application, pods, stage
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS, WatchedAnalysis, analysis_successful
from gitops_e2e.pipeline.application import APPLICATIONS, ARGOCD, WatchedApplication, is_synced_to
from gitops_e2e.pipeline.kargo import PROMOTIONS, WAREHOUSES
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.promotion import WatchedPromotion, succeeds
from gitops_e2e.pipeline.rollout import WatchedRollout, is_healthy_on
from gitops_e2e.pipeline.stage import WatchedStage, has_verified
from gitops_e2e.pipeline.warehouse import WatchedWarehouse, has_discovered
from gitops_e2e.watching import WatchCache, expect
from tests import kargo_recorded
from tests.recorded import Recorded, idle_cache, play, put, recording

_BEFORE = 2
_NEW = "1649cf0b6a1f5d2c3e4f5a6b7c8d9e0f1a2b3c4d"


@dataclass(frozen=True)
class Breakage:
    """A broken pipeline, and what the last lines must tell: each of these words."""

    fail: Callable[[], object]
    tells: Sequence[str]


def _image_missing() -> None:
    message = 'failed to pull: registry.gitops-e2e.svc.cluster.local:5000/demo/product-api:1.0.0: not found"'
    _canary_pod_waits({"waiting": {"reason": "ImagePullBackOff", "message": message}})


def _crash_loop() -> None:
    crash = {"terminated": {"reason": "Error", "exitCode": 1}}
    _canary_pod_waits({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}}, crash, restarts=3)


def _canary_above_memory() -> None:
    cache = idle_cache()
    for change in recording("rollback"):
        play(cache, [_with_value(change, "[312954880]")])
    expect(WatchedAnalysis(_rollout(cache, "rollback")), analysis_successful(), within=0)


def _prometheus_unreachable() -> None:
    cache = idle_cache()
    error = (
        'Post "http://prometheus.monitoring:9090/api/v1/query": dial tcp: lookup prometheus.monitoring: no such host'
    )
    for change in recording("rollback"):
        if change.kind == "AnalysisRun" and change.object and change.object.get("status", {}).get("phase") == "Failed":
            play(cache, [_errored(change, error)])
            break
        play(cache, [change])
    expect(WatchedAnalysis(_rollout(cache, "rollback")), analysis_successful(), within=0)


def _branch_missing() -> None:
    _application_reports(
        "rpc error: code = Unknown desc = failed to resolve: unable to resolve 'stage/dev' to a commit SHA"
    )


def _comparison_error() -> None:
    _application_reports(
        "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
        "Manifest generation error (cached): failed to unmarshal manifest: error converting YAML to JSON"
    )


def _promotion_errored() -> None:
    cache = idle_cache()
    kargo_recorded.play(cache, kargo_recorded.sequence(PROMOTIONS, "p9"))
    expect(WatchedPromotion(cache, PipelineNames(kargo_recorded.PROJECT), "dev", "p9"), succeeds(), within=0)


def _verification_failed() -> None:
    cache = idle_cache()
    states = [kargo_recorded.objects(f"at-the-end/{name}") for name in ("stage-verification-failed", "analysisruns")]
    kargo_recorded.play(cache, *states)
    with mock.patch.object(stage, "_PATIENCE", 0.0):
        expect(WatchedStage(cache, PipelineNames(kargo_recorded.PROJECT), "staging"), has_verified("1.1.0"), within=0)


def _warehouse_cannot_look() -> None:
    cache = idle_cache()
    kargo_recorded.play(cache, kargo_recorded.sequence(WAREHOUSES, "unreach"))
    project = kargo_recorded.PROJECT
    found = cache.now().find(WAREHOUSES, project, "unreach")
    assert found
    put(cache, WAREHOUSES, project, project, {**found, "metadata": {**found["metadata"], "name": project}})
    expect(WatchedWarehouse(cache, PipelineNames(project)), has_discovered("1.0.0"), within=0)


def _progress_deadline() -> None:
    cache = idle_cache()
    play(cache, recording("progress_deadline"))
    expect(_rollout(cache, "progress-deadline"), is_healthy_on("broken"), within=0)


BREAKAGES: Mapping[str, Breakage] = {
    "image missing": Breakage(
        _image_missing,
        (
            "Rollout shop in rollback",
            "wanted:   is Healthy on 1.0.0",
            "observed: pod shop-76cd6657d9-",
            "ImagePullBackOff",
            "likely cause: the registry has no image registry.gitops-e2e.svc.cluster.local:5000/demo/product-api:1.0.0",
            "next:     kubectl --kubeconfig /run/kubeconfig -n rollback describe pod shop-76cd6657d9-",
        ),
    ),
    "crash loop": Breakage(
        _crash_loop,
        (
            "Rollout shop in rollback",
            "wanted:   is Healthy on 1.0.0",
            "CrashLoopBackOff after Error (exit code 1)",
            "likely cause: container shop ends soon after its start, with exit code 1",
            "-n rollback logs shop-76cd6657d9-",
            "-c shop --previous",
        ),
    ),
    "canary above memory": Breakage(
        _canary_above_memory,
        (
            "Analysis of Rollout shop in rollback",
            "wanted:   ends Successful",
            "observed: ended Failed",
            "memory: Failed [312954880]",
            "likely cause: a pod of the canary used 298 MiB by the metric memory",
            "-n rollback get analysisruns -o yaml",
        ),
    ),
    "Prometheus unreachable": Breakage(
        _prometheus_unreachable,
        (
            "Analysis of Rollout shop in rollback",
            "wanted:   ends Successful",
            "observed: ended Error",
            "lookup prometheus.monitoring: no such host",
            "likely cause: the metric's provider cannot be reached at the address in the AnalysisTemplate",
            "-n rollback get analysisruns -o yaml",
        ),
    ),
    "branch missing": Breakage(
        _branch_missing,
        (
            "Application demo-dev",
            "wanted:   is Synced to 1649cf0",
            "observed: ComparisonError",
            "likely cause: the Git repository has no branch stage/dev",
            "-n argocd get applications",
        ),
    ),
    "Application comparison error": Breakage(
        _comparison_error,
        (
            "Application demo-dev",
            "wanted:   is Synced to 1649cf0",
            "observed: ComparisonError",
            "likely cause: Argo CD cannot make of the branch what it is to deploy",
            "-n argocd logs deploy/argocd-repo-server",
        ),
    ),
    "promotion errored at a step": Breakage(
        _promotion_errored,
        (
            "Promotion p9 in demo",
            "wanted:   ends Succeeded",
            'observed: ended Errored (step "step-1"',
            "likely cause: step step-1 of the Promotion failed",
            "-n demo get promotion/p9 -o yaml",
        ),
    ),
    "verification failed": Breakage(
        _verification_failed,
        (
            "Stage staging in demo",
            "wanted:   has a verification of 1.1.0 that ended Successful",
            "observed: the verification ended Failed",
            "likely cause: the stage's own AnalysisTemplate judged the release that runs there",
            "-n demo get analysisruns -o yaml",
        ),
    ),
    "Warehouse cannot look": Breakage(
        _warehouse_cannot_look,
        (
            "Warehouse demo in demo",
            "wanted:   has discovered 1.0.0",
            "observed: Ready=False DiscoveryFailure",
            "likely cause: the Warehouse cannot list the tags of 10.231.0.2:5999/product-api",
            "-n demo describe warehouses",
        ),
    ),
    "progress deadline": Breakage(
        _progress_deadline,
        (
            "Rollout shop in progress-deadline",
            "wanted:   is Healthy on broken",
            "observed: aborted",
            "likely cause: the new release's pods were not ready within progressDeadlineSeconds",
            "-n progress-deadline describe pods",
        ),
    ),
}


# --- how they come about


def _rollout(cache: WatchCache, namespace: str) -> WatchedRollout:
    return WatchedRollout(cache, namespace, "shop", _BEFORE)


def _canary_pod_waits(state: Manifest, last: Manifest | None = None, restarts: int = 0) -> None:
    """A canary's pod that was recorded when it was made, and does not start."""
    cache = idle_cache()
    for change in recording("rollback"):
        play(cache, [change])
        if change.kind == "Pod" and change.object and "76cd6657d9" in change.name:
            break
    container = {"name": "shop", "ready": False, "restartCount": restarts, "state": state, "lastState": last or {}}
    broken = copy.deepcopy(change.object or {})
    broken["status"]["containerStatuses"] = [container]
    put(cache, PODS, "rollback", change.name, broken)
    with mock.patch.object(pods, "_PULL_PATIENCE", 0.0):
        expect(_rollout(cache, "rollback"), is_healthy_on("1.0.0"), within=0)


def _application_reports(error: str) -> None:
    cache = idle_cache()
    states = [each for each in recording("applications") if each.name == "demo-dev"]
    play(cache, states[:4])
    manifest = copy.deepcopy(states[3].object or {})
    manifest["status"]["conditions"] = [{"type": "ComparisonError", "message": error}]
    manifest["status"]["sync"] = {"status": "Unknown"}
    put(cache, APPLICATIONS, ARGOCD, "demo-dev", manifest)
    with mock.patch.object(application, "_ERROR_PATIENCE", 0.0):
        expect(WatchedApplication(cache, "demo-dev", "demo-dev", _NEW), is_synced_to(_NEW), within=0)


def _with_value(change: Recorded, value: str) -> Recorded:
    if change.kind != ANALYSIS_RUNS.kind or not change.object:
        return change
    manifest: dict[str, Any] = copy.deepcopy(change.object)
    for result in manifest.get("status", {}).get("metricResults", []):
        for measurement in result.get("measurements", []):
            measurement["value"] = value
    return Recorded(change.kind, change.namespace, change.name, manifest)


def _errored(change: Recorded, error: str) -> Recorded:
    manifest: dict[str, Any] = copy.deepcopy(change.object or {})
    measurement = {"phase": "Error", "message": error, "finishedAt": "2026-11-23T15:39:17Z"}
    result = {"name": "memory", "phase": "Error", "consecutiveError": 5, "measurements": [measurement] * 5}
    message = 'Metric "memory" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)'
    manifest["status"] |= {"phase": "Error", "message": message, "metricResults": [result]}
    return Recorded(change.kind, change.namespace, change.name, manifest)
