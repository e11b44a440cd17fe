"""The command that checks pins, values and charts. Charts are small ones that stand for the real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from click.testing import CliRunner

from gitops_e2e.bundle import Bundle, Chart
from gitops_e2e.cache import Cache
from gitops_e2e.components.charts.__main__ import main
from gitops_e2e.components.charts.checking import Checking, Finding
from gitops_e2e.components.charts.pins import VALUES, Pins
from gitops_e2e.components.sources import Sources
from gitops_e2e.images.archiving import NotPulled
from gitops_e2e.toolchain import Toolchain
from tests.archives import write_chart

_CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
"""


def checking(tmp_path: Path, *charts: Chart, pull: bool = False, values: Path = VALUES) -> Checking:
    sources = Sources(Cache(tmp_path / "cache"), Toolchain(Cache.of_user()))
    return Checking(Pins.read(), Bundle(tmp_path, (), charts), sources, pull, values)


def told(findings: list[Finding], verdict: str) -> list[str]:
    return [finding.sentence for finding in findings if finding.verdict == verdict]


def rollouts(tmp_path: Path, app_version: str = "v1.9.1", files: Mapping[str, str] = MappingProxyType({})) -> Chart:
    """A chart with that name, which reads all the values that are set; `files` of it are others."""
    known = dict.fromkeys(yaml.safe_load((VALUES / "argo-rollouts.yaml").read_text()))
    about = {"apiVersion": "v2", "name": "argo-rollouts", "version": "2.41.1", "appVersion": app_version}
    content = {
        "Chart.yaml": yaml.safe_dump(about),
        "values.yaml": yaml.safe_dump(known),
        "templates/all.yaml": _CONFIG_MAP,
        **files,
    }
    return Chart.read(write_chart(tmp_path / "chart.tgz", "argo-rollouts", "2.41.1", content))


def copied(tmp_path: Path, changes: Mapping[str, str]) -> Path:
    folder = tmp_path / "values"
    folder.mkdir()
    for file in VALUES.iterdir():
        (folder / file.name).write_text(file.read_text())
    for name, text in changes.items():
        (folder / name).write_text(text)
    return folder


def test_without_charts_it_says_what_was_not_checked_and_finds_nothing_wrong() -> None:
    result = CliRunner().invoke(main)
    assert result.exit_code == 0, result.output
    for pin in Pins.read().charts:
        assert f"not checked: {pin} itself: no bundle has it, and nothing may be pulled\n" in result.output
    assert "wrong" not in result.output


def test_a_bundle_that_cannot_be_read_is_one_message() -> None:
    result = CliRunner().invoke(main, ["--bundle", "/nonexistent"])
    assert result.exit_code == 1
    assert "the bundle cannot be read" in result.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"argo-cd.yaml": "- a list"}, "the values argo-cd.yaml are no mapping"),
        ({"argo-cd.yaml": "{"}, "the values argo-cd.yaml cannot be read"),
        ({"loki.yaml": "{}"}, "loki.yaml holds the values of no chart that is pinned"),
        ({"rollout-extension.yaml": "{server: {}}"}, "do not fetch v0.3.4, which is pinned"),
    ],
)
def test_values_that_are_wrong_are_told(tmp_path: Path, changes: Mapping[str, str], words: str) -> None:
    findings = list(checking(tmp_path, values=copied(tmp_path, changes)).findings())
    (wrong,) = told(findings, "wrong")
    assert words in wrong


def test_a_chart_that_cannot_be_pulled_was_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Chart:
        raise NotPulled("chart x cannot be pulled: no route to host")

    monkeypatch.setattr(Sources, "pulled_chart", refuse)
    findings = list(checking(tmp_path, pull=True).findings())
    assert told(findings, "wrong") == []
    assert len(told(findings, "not checked")) == len(Pins.read().charts)
    assert told(findings, "not checked")[0].endswith("itself: chart x cannot be pulled: no route to host")


@pytest.mark.node
def test_a_chart_of_the_bundle_is_held_against_its_pin_and_rendered(tmp_path: Path) -> None:
    right = told(list(checking(tmp_path, rollouts(tmp_path)).findings()), "right")
    assert "chart argo-rollouts 2.41.1 says its version, and that it is for v1.9.1" in right
    assert "chart argo-rollouts 2.41.1 has all the values that are set" in right
    assert "chart argo-rollouts 2.41.1 renders with its values: 1 objects of 1 kinds" in right


@pytest.mark.node
@pytest.mark.parametrize(
    ("app_version", "files", "words"),
    [
        ("v1.7.0", {}, "chart argo-rollouts 2.41.1 is for v1.7.0, but pinned is 2.41.1 for v1.9.1"),
        ("v1.9.1", {"values.yaml": "controller: {}\n"}, "has no values dashboard, fullnameOverride, installCRDs"),
        ("v1.9.1", {"templates/all.yaml": "{{ fail `no` }}"}, "does not render with its values: "),
        (
            "v1.9.1",
            {"values.schema.json": '{"properties": {"controller": {"type": "string"}}}'},
            "does not render with its values: ",
        ),
    ],
)
def test_a_chart_that_is_another_or_takes_other_values_is_told(
    tmp_path: Path, app_version: str, files: Mapping[str, str], words: str
) -> None:
    (wrong,) = told(list(checking(tmp_path, rollouts(tmp_path, app_version, files)).findings()), "wrong")
    assert words in wrong


@pytest.mark.node
def test_something_wrong_is_an_exit_code(tmp_path: Path) -> None:
    rollouts(tmp_path, "v1.7.0")
    result = CliRunner().invoke(main, ["--bundle", str(tmp_path)])
    assert result.exit_code == 1, result.output
