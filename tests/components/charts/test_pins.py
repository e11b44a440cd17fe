"""The versions that are pinned, and the values that go with them: whole, and those of the demo."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.bundle import BundleError, Chart
from gitops_e2e.cache import Cache
from gitops_e2e.components.charts.pins import PINS, ChartPin, Pins, PinsWrong, values_of
from gitops_e2e.components.prometheus import NODE_PORT
from gitops_e2e.components.prometheus_stack import GRAFANA_PORT
from gitops_e2e.components.sources import Sources
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.dashboard import FILE as DASHBOARD
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.promoter import KARGO_VERSION
from gitops_e2e.toolchain import Toolchain

TOOLCHAIN = Toolchain(Cache(Path("/nonexistent")))
DEMO = {"argo-cd", "argo-rollouts", "cert-manager", "kube-prometheus-stack", "kargo"}


def values(name: str) -> Any:
    return yaml.safe_load(values_of(name).read_text())


def of_own_prometheus(kind: str, tmp_path: Path) -> Manifest:
    own = Sources(Cache(tmp_path), TOOLCHAIN).own("prometheus.yaml")
    (found,) = (manifest for manifest in own if manifest["kind"] == kind)
    return found


def test_every_chart_of_the_demo_is_pinned_and_has_values() -> None:
    pins = Pins.read()
    assert {pin.name for pin in pins.charts} == DEMO
    for pin in pins.charts:
        assert isinstance(values(pin.name), dict), pin


def test_there_is_one_version_of_what_is_pinned_elsewhere_too() -> None:
    pins = Pins.read()
    assert pins.chart("kargo").version == KARGO_VERSION
    assert f"/{pins.other('rollout-extension').version}/" in values_of("rollout-extension").read_text()
    kubernetes = TOOLCHAIN.version("k8s.io/kubernetes").split(".")
    assert pins.other("kindest/node").version.split(".")[:2] == kubernetes[:2]


def test_helm_finds_a_chart_in_a_registry_by_its_address_and_in_an_index_by_its_name() -> None:
    pins = Pins.read()
    assert pins.chart("kargo").location == ("oci://ghcr.io/akuity/kargo-charts/kargo", "")
    assert pins.chart("argo-cd").location == ("argo-cd", "https://argoproj.github.io/argo-helm")


def without(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda pins: pins["charts"][0].pop(field)


def having(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda pins: pins["charts"][0].update({field: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("read"), "charts.0.read: Field required"),
        (without("quote"), "charts.0.quote: Field required"),
        (without("date"), "charts.0.date: Field required"),
        (without("app_version"), "charts.0.app_version: Field required"),
        (having("read", "somebody said so"), "charts.0.read: String should match"),
        (having("version", "^9.0.0"), "charts.0.version: String should match"),
        (having("version", "latest"), "charts.0.version: String should match"),
        (having("date", "last week"), "charts.0.date: Input should be a valid date"),
        (having("notes", "x"), "charts.0.notes: Unexpected keyword argument"),
        (having("name", "kargo"), "kargo is pinned twice"),
        (lambda pins: pins.pop("others"), "others: Field required"),
    ],
)
def test_a_pin_that_is_not_whole_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    pins = copy.deepcopy(yaml.safe_load(PINS.read_text()))
    change(pins)
    file = tmp_path / "pins.yaml"
    file.write_text(yaml.safe_dump(pins))
    with pytest.raises(PinsWrong) as refused:
        Pins.read(file)
    assert words in refused.value.what
    assert refused.value.where == str(file)


@pytest.mark.parametrize("content", ["", "- a list", "{"])
def test_a_file_of_pins_that_says_nothing_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "pins.yaml"
    file.write_text(content)
    with pytest.raises(PinsWrong, match="the pinned versions are not as they have to be"):
        Pins.read(file)


def test_what_is_not_pinned_is_told() -> None:
    with pytest.raises(PinsWrong, match="no chart loki is pinned"):
        Pins.read().chart("loki")
    with pytest.raises(PinsWrong, match="no kindest/haproxy is pinned"):
        Pins.read().other("kindest/haproxy")


def test_a_chart_of_another_version_is_refused() -> None:
    pin: ChartPin = Pins.read().chart("argo-cd")
    with pytest.raises(BundleError, match=f"has chart argo-cd 1.2.3, but {pin.version} is what this stack is made for"):
        pin.require(Chart(Path("/bundle/a.tgz"), "argo-cd", "1.2.3", "0"))


def test_prometheus_scrapes_what_the_stacks_own_does_and_as_often(tmp_path: Path) -> None:
    config = yaml.safe_load(of_own_prometheus("ConfigMap", tmp_path)["data"]["prometheus.yml"])
    spec = values("kube-prometheus-stack")["prometheus"]["prometheusSpec"]
    assert spec["additionalScrapeConfigs"] == config["scrape_configs"]
    assert spec["scrapeInterval"] == config["global"]["scrape_interval"] == "2s"
    assert spec["scrapeTimeout"] == config["global"]["scrape_timeout"]


def test_the_service_of_the_stacks_own_prometheus_leads_to_it(tmp_path: Path) -> None:
    service = of_own_prometheus("Service", tmp_path)["spec"]
    assert (
        values("kube-prometheus-stack")["prometheus"]["prometheusSpec"]["podMetadata"]["labels"] == service["selector"]
    )
    assert [port["nodePort"] for port in service["ports"]] == [NODE_PORT] == [30090]


def test_grafana_loads_the_dashboard_and_can_be_reached() -> None:
    grafana = values("kube-prometheus-stack")["grafana"]
    assert grafana["service"] == {"type": "NodePort", "nodePort": GRAFANA_PORT}
    label = grafana["sidecar"]["dashboards"]
    dashboard = yaml.safe_load((MANIFESTS / DASHBOARD).read_text())
    assert dashboard["metadata"]["labels"] == {label["label"]: label["labelValue"]}


def test_one_replica_of_cert_manager_is_not_elected() -> None:
    set_ = values("cert-manager")
    assert set_["extraArgs"] == set_["cainjector"]["extraArgs"] == ["--leader-elect=false"]
