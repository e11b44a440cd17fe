"""Changes of the objects in `kargo/` before they are created: what a scenario's Project has other than the demo's."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.project import Edit

VERIFICATION = "verify-staging"
"""The AnalysisTemplate by which staging verifies."""

_PROMETHEUS = "http://prometheus.monitoring.svc.cluster.local:9090"

NOTHING_TO_DEPLOY: Manifest = {"uses": "compose-output", "config": {"done": True}}
"""A step that always succeeds, so that a stage is healthy and verified with whatever is promoted to it."""


def constraint(text: str) -> Edit:
    """The Warehouse looks for these releases."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Warehouse":
            manifest["spec"]["subscriptions"][0]["image"]["constraint"] = text

    return edit


def repository(url: str) -> Edit:
    """The Warehouse looks there."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Warehouse":
            manifest["spec"]["subscriptions"][0]["image"]["repoURL"] = url

    return edit


def deploys_nothing() -> Edit:
    """A promotion to any stage only says so."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Stage":
            manifest["spec"]["promotionTemplate"]["spec"]["steps"] = [copy.deepcopy(NOTHING_TO_DEPLOY)]
            manifest["spec"].pop("verification", None)

    return edit


def takes_from_warehouse() -> Edit:
    """Every stage takes Freight without another stage before it."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Stage":
            for request in manifest["spec"]["requestedFreight"]:
                request["sources"] = {"direct": True}

    return edit


def promoted_by_hand() -> Edit:
    """No stage takes new Freight by itself."""
    return policies([])


def policies(selectors: Sequence[Manifest]) -> Edit:
    """The stages that any of these selectors means take new Freight by themselves, and no other."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "ProjectConfig":
            found = [{"stageSelector": each, "autoPromotionEnabled": True} for each in selectors]
            manifest["spec"]["promotionPolicies"] = found

    return edit


def verifies_metric(stage: str, *, value: int) -> Edit:
    """The stage verifies what it has by asking Prometheus for a metric that has this value, and ought to be 1."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Stage" and manifest["metadata"]["name"] == stage:
            manifest["spec"]["verification"] = {"analysisTemplates": [{"name": VERIFICATION}]}
        if manifest["kind"] == "AnalysisTemplate":
            provider = {"prometheus": {"address": _PROMETHEUS, "query": f"vector({value})"}}
            metric = {"name": "metric", "successCondition": "result[0] == 1", "failureLimit": 0, "provider": provider}
            manifest["spec"] = {"metrics": [metric]}

    return edit


def soaks(stage: str, time: str) -> Edit:
    """The stage takes Freight only that long after it came into the stage before."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Stage" and manifest["metadata"]["name"] == stage:
            for request in manifest["spec"]["requestedFreight"]:
                request["sources"]["requiredSoakTime"] = time

    return edit


def lets_through(stage: str) -> Edit:
    """The stage has nothing to promote: it is a control-flow stage."""

    def edit(manifest: Manifest) -> None:
        if manifest["kind"] == "Stage" and manifest["metadata"]["name"] == stage:
            del manifest["spec"]["promotionTemplate"]

    return edit
