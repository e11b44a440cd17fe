"""Which charts a run has: by its bundle, and by whether its cluster pulls."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, BundleError, Chart
from gitops_e2e.cache import Cache
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.sources import Sources
from gitops_e2e.supply import Supply
from gitops_e2e.toolchain import Toolchain
from tests.archives import write_chart

NOWHERE = Cache(Path("/nonexistent"))
TOOLCHAIN = Toolchain(NOWHERE)
SOURCES = Sources(NOWHERE, TOOLCHAIN)

ARGO_CD = Chart(Path("/bundle/a.tgz"), "argo-cd", "9.3.4", "0")
MONITORING = Chart(Path("/bundle/b.tgz"), "kube-prometheus-stack", "88.0.0", "1")
OTHER = Chart(Path("/bundle/c.tgz"), "loki", "1.0.0", "2")
BUNDLE = Bundle(Path("/bundle"), (), (ARGO_CD, MONITORING, OTHER))


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What is pulled, instead of being pulled."""
    asked: list[tuple[str, str, str]] = []

    def pull(_: Sources, name: str, version: str, repository: str = "") -> Chart:
        asked.append((name, version, repository))
        return Chart(Path("/cache/x.tgz"), name, version, "3")

    monkeypatch.setattr(Sources, "pulled_chart", pull)
    return asked


def test_without_a_bundle_nothing_is_installed_by_a_chart(pulled: list[tuple[str, str, str]]) -> None:
    charts = Charts()
    for pin in charts.pins.charts:
        assert charts.find(pin.name, SOURCES) is None
    assert pulled == []
    (not_run,) = charts.told()
    assert not_run == (
        "not run here: chart argo-cd 9.3.4, chart argo-rollouts 2.41.1, chart cert-manager v1.11.5, "
        "chart kube-prometheus-stack 88.0.0, Grafana, rollout-extension v0.3.4"
    )


def test_charts_of_the_bundle_are_used_where_their_images_can_be_had(pulled: list[tuple[str, str, str]]) -> None:
    charts = Charts(BUNDLE)
    assert charts.find("argo-cd", SOURCES) == ARGO_CD
    assert charts.find("argo-rollouts", SOURCES) is None
    assert charts.find("kube-prometheus-stack", SOURCES) is None
    assert pulled == []
    assert charts.unknown() == ["chart loki 1.0.0"]
    used, not_run = charts.told()
    assert used == "installed by chart argo-cd 9.3.4"
    assert "argo-cd" not in not_run
    assert "kube-prometheus-stack 88.0.0, Grafana" in not_run


def test_a_cluster_that_pulls_has_all_of_them(pulled: list[tuple[str, str, str]]) -> None:
    charts = Charts(BUNDLE, upstream=True)
    assert charts.find("argo-cd", SOURCES) == ARGO_CD
    assert charts.find("kube-prometheus-stack", SOURCES) == MONITORING
    assert charts.find("cert-manager", SOURCES)
    assert pulled == [("cert-manager", "v1.11.5", "https://charts.jetstack.io")]
    assert charts.not_run() == ()


def test_a_chart_of_another_version_than_is_pinned_is_refused() -> None:
    old = Chart(Path("/bundle/d.tgz"), "argo-rollouts", "2.0.0", "4")
    with pytest.raises(BundleError) as refused:
        Charts(Bundle(Path("/bundle"), (), (ARGO_CD, old))).check()
    assert refused.value.what == "the bundle has chart argo-rollouts 2.0.0, but 2.41.1 is what this stack is made for"
    assert refused.value.where == "/bundle/d.tgz"


def test_a_run_with_such_a_chart_ends_before_anything_is_begun(tmp_path: Path) -> None:
    write_chart(tmp_path / "old.tgz", "argo-cd", "1.0.0")
    with pytest.raises(BundleError, match=r"has chart argo-cd 1\.0\.0, but 9\.3\.4 is what"):
        Supply.of("auto", tmp_path, pull=False)


@pytest.mark.parametrize(
    ("provider", "pull", "upstream"), [("kind", True, True), ("kind", False, False), ("node", True, False)]
)
def test_only_a_kind_cluster_with_leave_to_pull_is_made_of_what_is_published(
    provider: str, pull: bool, upstream: bool
) -> None:
    supply = Supply(pull=pull)
    images = supply.images(TOOLCHAIN, provider)
    assert images.upstream is upstream
    assert any(line.startswith("not run here: ") for line in supply.told(provider)) is not upstream


def test_images_that_are_published_are_left_to_the_cluster() -> None:
    images = Supply(pull=True, kargo=KargoChoice(real=True)).images(TOOLCHAIN, "kind")
    assert images.reference("argocd") == "quay.io/argoproj/argocd:v3.2.11"
    assert images.reference("cert-manager-webhook") == "quay.io/jetstack/cert-manager-webhook:v1.11.5"
    assert images.reference("kargo") == "ghcr.io/akuity/kargo:v1.8.4"
    carried = set(images.carried)
    assert carried.isdisjoint({"argocd", "argo-rollouts", "cert-manager-controller", "kargo", "prometheus"})
    assert {"coredns", "git-server", "product-api:0.9.0", "redis", "registry"} <= carried
    assert {recipe.key for recipe in images.recipes} == carried


def test_elsewhere_all_are_brought() -> None:
    images = Supply().images(TOOLCHAIN, "kind")
    assert images.carried == images.names
    assert images.reference("argocd") == "gitops-e2e.local/argocd:v3.2.11"
