"""Every object that is deployed is what its API defines, down to the last field."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.platform import MANIFESTS

Check = Callable[[str], Callable[[Any], list[str]]]
Rendered = Callable[[str], list[Manifest]]


@pytest.mark.parametrize("stage", STAGES)
def test_stage_is_valid(stage: str, rendered: Rendered, check: Check) -> None:
    problems = {manifest["kind"]: check(manifest["kind"])(manifest) for manifest in rendered(stage)}
    assert problems == {"Rollout": [], "Service": [], "AnalysisTemplate": []}


@pytest.mark.parametrize("stage", STAGES)
def test_pod_template_is_valid(stage: str, rendered: Rendered, check: Check) -> None:
    (rollout,) = (manifest for manifest in rendered(stage) if manifest["kind"] == "Rollout")
    assert check("PodTemplateSpec")(rollout["spec"]["template"]) == []


def test_application_set_is_valid(check: Check) -> None:
    application_set = yaml.safe_load((MANIFESTS / "applicationset.yaml").read_text())
    assert check("ApplicationSet")(application_set) == []


def test_what_the_application_set_makes_is_a_valid_application(check: Check) -> None:
    application_set = yaml.safe_load((MANIFESTS / "applicationset.yaml").read_text())
    application = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **application_set["spec"]["template"]}
    assert check("Application")(application) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ((), {"progresDeadlineSeconds": 120}),
        (("strategy", "canary"), {"maxsurge": 1}),
        (("template", "spec"), {"terminationGracePeriod": 10}),
        (("strategy", "canary"), {"steps": [{"setWeight": "20"}]}),
        ((), {"replicas": "three"}),
    ],
)
def test_the_check_finds_what_is_wrong(
    path: tuple[str, ...], wrong: dict[str, Any], rendered: Rendered, check: Check
) -> None:
    (rollout,) = (copy.deepcopy(manifest) for manifest in rendered("dev") if manifest["kind"] == "Rollout")
    place = rollout["spec"]
    for key in path:
        place = place[key]
    place.update(wrong)
    assert len(check("Rollout")(rollout)) == 1
