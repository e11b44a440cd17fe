"""Changes of how a canary is judged: by which analysis, how strictly, when, and beside it by a simpler one."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.changes import CANARY_CHECK, MEMORY_CHECK, ROLLOUT, Change, ChangeError, edited

Metric = dict[str, Any]


def judged_by(stage: str, analysis: str) -> Change:
    """The stage's canary is judged by that analysis of `manifests/analyses/`."""

    def edit(kustomization: Manifest) -> None:
        kustomization.setdefault("components", []).append(f"../../analyses/{analysis}")

    return edited(f"stages/{stage}/kustomization.yaml", edit, f"Judge the canary of {stage} by its {analysis}")


def dry_run(metric: str) -> Change:
    """What dev and staging measure by that metric is recorded, and decides nothing."""

    def edit(template: Manifest) -> None:
        _metric(template, metric, CANARY_CHECK)
        template["spec"]["dryRun"] = [{"metricName": metric}]

    return edited(CANARY_CHECK, edit, f"Only record {metric}")


def forgiving(analysis: str, *, failures: int, measurements: int) -> Change:
    """That analysis measures so often, and forgives so many failures."""
    file = _file(analysis)

    def edit(template: Manifest) -> None:
        _metric(template, analysis, file).update(failureLimit=failures, count=measurements)

    return edited(file, edit, f"Forgive {failures} of {measurements} failures of the {analysis}")


def memory_of_before(minutes: int) -> Change:
    """Prod's canary check asks for what was so long ago, as one does whose clock is slow."""

    def edit(template: Manifest) -> None:
        memory = _metric(template, "memory", MEMORY_CHECK)
        _rewrite(memory, r"\}(\s*\)\s*\)\s*)$", rf"}} offset {minutes}m\1")

    return edited(MEMORY_CHECK, edit, f"Judge prod's canary by a clock that is {minutes} minutes slow")


def analysed_throughout(namespace: str) -> Change:
    """The canary in that namespace is analysed from its first pod on, too, beside its steps."""

    def make(main: Path) -> None:
        edited(ROLLOUT, _from_the_first_pod_on(namespace), "Begin with the first pod").make(main)
        edited(CANARY_CHECK, _a_little_later, "Let the canary Service lead to it first").make(main)

    return Change("Analyse the canary from its first pod on", make)


def _from_the_first_pod_on(namespace: str) -> Callable[[Manifest], None]:
    def edit(rollout: Manifest) -> None:
        rollout["spec"]["strategy"]["canary"]["analysis"] = {
            "templates": [{"templateName": "canary-check"}],
            "args": [{"name": "namespace", "value": namespace}],
            "startingStep": 1,  # the pause after the first weight: there is a pod to be asked
        }

    return edit


def _a_little_later(template: Manifest) -> None:
    # The run is created as the canary Service's selector changes. Asked at once, the Service may still lead to a stable
    # pod; and as the web provider (1.9) keeps its connection, all measurements would be of that one.
    for metric in template["spec"]["metrics"]:
        metric["initialDelay"] = "5s"


# --- simpler checks, which are only recorded

_Simplify = Callable[[Metric], None]


def _both_releases(metric: Metric) -> None:
    _rewrite(metric, r"-\{\{args\.canary-hash\}\}", "")


def _every_request(metric: Metric) -> None:
    _rewrite(metric, r',\s*route=~"[^"]*"', "")


def _one_second(metric: Metric) -> None:
    _rewrite(metric, r"\[\d+s\]", "[1s]")
    _too_low_alone(metric)


def _without_zero(metric: Metric) -> None:
    _rewrite(metric, r"\s+or vector\(0\)", "")
    _too_low_alone(metric)


def _too_low_alone(metric: Metric) -> None:
    """What is not found to be bad is good."""
    del metric["successCondition"]
    metric["failureCondition"] = "len(result) > 0 && result[0] < {{args.least-percent}}"


SIMPLER: Mapping[str, _Simplify] = {
    "of both releases together": _both_releases,
    "of every request, the kubelet's too": _every_request,
    "over one second": _one_second,
    "that has no number where nothing succeeds": _without_zero,
    "that takes for good what is not too low": _too_low_alone,
}
"""Checks of the success rate that one could be content with, in a feature's words."""


def recorded_beside(which: str) -> Change:
    """Beside the success rate, such a check is made and recorded; it decides nothing."""
    file = _file("success-rate")

    def edit(template: Manifest) -> None:
        simpler = copy.deepcopy(_metric(template, "success-rate", file))
        simpler["name"] = name_of(which)
        SIMPLER[which](simpler)
        spec = template["spec"]
        spec["metrics"].append(simpler)
        spec.setdefault("dryRun", []).append({"metricName": simpler["name"]})

    return edited(file, edit, f"Record a check {which}")


def name_of(which: str) -> str:
    """The metric's name in the AnalysisRun."""
    return f"check {which}"


def _rewrite(metric: Metric, pattern: str, replacement: str) -> None:
    prometheus = metric["provider"]["prometheus"]
    query, times = re.subn(pattern, replacement, prometheus["query"])
    if not times:
        raise ChangeError(f"the query has nothing like {pattern}: {query}")
    prometheus["query"] = query


def _file(analysis: str) -> str:
    return f"analyses/{analysis}/canary-check.yaml"


def _metric(template: Manifest, name: str, file: str) -> Metric:
    for metric in template["spec"]["metrics"]:
        if metric["name"] == name:
            found: Metric = metric
            return found
    raise ChangeError(f"the analysis has no metric {name}", where=file)
