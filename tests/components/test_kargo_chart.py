"""Kargo by its chart: what is rendered of a chart with Kargo's values, and installed. The chart is a stand-in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, Chart
from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.kargo_chart import KargoChart
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import WITH_KARGO
from gitops_e2e.kube import Manifest
from gitops_e2e.toolchain import Toolchain
from tests.kargo_stand_in import DEPLOYMENTS, REFERENCE, write_stand_in_chart

pytestmark = pytest.mark.node  # helm has to be built


@pytest.fixture
def kargo(tmp_path: Path) -> KargoChart:
    toolchain = Toolchain(Cache.of_user())
    sources = Sources(Cache(tmp_path / "cache"), toolchain)
    chart = Chart.read(write_stand_in_chart(tmp_path / "kargo.tgz", sources))
    images = Images(toolchain.cache, toolchain, WITH_KARGO, Bundle(tmp_path, (), (chart,)))
    component = KargoChoice(real=True).component(sources, images, Authority.create())
    assert isinstance(component, KargoChart)
    return component


@pytest.fixture
def manifests(kargo: KargoChart) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in kargo.manifests():
        found.setdefault(manifest["kind"], []).append(manifest)
    return found


def test_its_workloads_run_kargos_image_and_are_waited_for(
    kargo: KargoChart, manifests: dict[str, list[Manifest]]
) -> None:
    assert [ref.name for ref in kargo.workloads()] == list(DEPLOYMENTS)
    for deployment in manifests["Deployment"]:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == REFERENCE
        assert container["imagePullPolicy"] == "IfNotPresent"
    assert kargo.pinned() == "v1.8.4"


def test_its_controller_trusts_the_git_server_and_knows_where_argo_cd_is(
    kargo: KargoChart, manifests: dict[str, list[Manifest]]
) -> None:
    controller = manifests["Deployment"][0]["spec"]["template"]["spec"]
    (trust,) = manifests["ConfigMap"]
    assert trust["data"] == {"ca.crt": kargo.authority.certificate}
    volumes = {volume["name"]: volume for volume in controller["volumes"]}
    assert volumes["trust"]["configMap"]["name"] == trust["metadata"]["name"]
    assert {"name": "ARGOCD_NAMESPACE", "value": "argocd"} in controller["containers"][0]["env"]


def test_its_kinds_and_certificate_are_installed_too(manifests: dict[str, list[Manifest]]) -> None:
    assert {"CustomResourceDefinition", "Issuer", "Certificate", "ValidatingWebhookConfiguration"} <= set(manifests)
    assert [each["metadata"]["name"] for each in manifests["Namespace"]] == ["kargo"]


def test_it_waits_for_the_kinds_that_its_controller_looks_for_once() -> None:
    assert set(KargoChart.needs) == {"cert-manager", "Argo CD", "Argo Rollouts"}


def test_a_chart_that_does_not_render_says_why(kargo: KargoChart, tmp_path: Path) -> None:
    broken = write_stand_in_chart(tmp_path / "broken.tgz", kargo.sources, version="1.8.4+broken")
    chart = replace(Chart.read(broken), path=tmp_path / "gone.tgz")
    with pytest.raises(CommandFailed, match=r"gone\.tgz"):
        replace(kargo, chart=chart).manifests()
