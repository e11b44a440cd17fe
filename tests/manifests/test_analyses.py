"""The analyses that a stage can select: rendered, changed, and with their conditions evaluated as they stand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline import analysis_changes
from gitops_e2e.pipeline.analysis_changes import SIMPLER, name_of
from gitops_e2e.pipeline.changes import Change
from gitops_e2e.pipeline.names import STAGES
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.toolchain import Toolchain

ANALYSES = {"success-rate": "prometheus", "latency": "prometheus", "approval": "web"}

Template = Callable[..., Manifest]


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """The AnalysisTemplate of a stage after changes of main."""
    kustomize = Toolchain(Cache.of_user()).command("kustomize")

    def render(stage: str, *changes: Change) -> Manifest:
        main = tmp_path / stage
        shutil.copytree(MANIFESTS, main)
        for change in changes:
            change.make(main)
        objects = yaml.safe_load_all(run([kustomize, "build", main / "stages" / stage], timeout=30).stdout)
        (found,) = (each for each in objects if each["kind"] == "AnalysisTemplate")
        return dict(found)

    return render


def metrics(template: Manifest) -> dict[str, dict[str, Any]]:
    return {metric["name"]: metric for metric in template["spec"]["metrics"]}


def test_these_are_all() -> None:
    assert {folder.name for folder in (MANIFESTS / "analyses").iterdir()} == set(ANALYSES)


@pytest.mark.parametrize("analysis", ANALYSES)
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "prod"])
def test_a_stage_is_judged_by_the_analysis_it_selects_and_no_other(
    stage: str, analysis: str, template: Template
) -> None:
    judged = metrics(template(stage, analysis_changes.judged_by(stage, analysis)))
    assert set(judged) == {analysis}
    assert set(judged[analysis]["provider"]) == {ANALYSES[analysis]}


@pytest.mark.parametrize("which", SIMPLER)
def test_a_simpler_check_is_another_one_and_only_recorded(which: str, template: Template) -> None:
    changes = (analysis_changes.judged_by("dev", "success-rate"), analysis_changes.recorded_beside(which))
    made = template("dev", *changes)
    judged = metrics(made)
    real, simpler = judged.pop("success-rate"), judged.pop(name_of(which))
    assert not judged
    assert made["spec"]["dryRun"] == [{"metricName": name_of(which)}]
    assert {**simpler, "name": real["name"]} != real
    assert simpler["provider"]["prometheus"]["query"].count("rate(") == 2


def test_several_simpler_checks_beside_each_other(template: Template) -> None:
    changes = [analysis_changes.recorded_beside(which) for which in SIMPLER]
    made = template("dev", analysis_changes.judged_by("dev", "success-rate"), *changes)
    assert [each["metricName"] for each in made["spec"]["dryRun"]] == [name_of(which) for which in SIMPLER]


def test_how_many_failures_are_forgiven(template: Template) -> None:
    forgiving = analysis_changes.forgiving("approval", failures=1, measurements=3)
    metric = metrics(template("dev", analysis_changes.judged_by("dev", "approval"), forgiving))["approval"]
    assert (metric["failureLimit"], metric["count"]) == (1, 3)


def test_what_is_only_recorded(template: Template) -> None:
    assert template("dev", analysis_changes.dry_run("health"))["spec"]["dryRun"] == [{"metricName": "health"}]
