"""Kargo by its chart: what is rendered of a chart with Kargo's values, and installed. The chart is a stand-in."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, Chart
from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.kargo_chart import KargoChart
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.images.archiving import NotPulled
from gitops_e2e.images.catalogue import WITH_KARGO
from gitops_e2e.kube import Manifest
from gitops_e2e.toolchain import Toolchain
from tests.kargo_stand_in import DEPLOYMENTS, REFERENCE, write_stand_in_chart
from tests.local_registry import running_registry

pytestmark = pytest.mark.node  # helm has to be built


@pytest.fixture
def scratch_sources(tmp_path: Path) -> Sources:
    return Sources(Cache(tmp_path / "cache"), Toolchain(Cache.of_user()))


@pytest.fixture
def kargo(tmp_path: Path, scratch_sources: Sources) -> KargoChart:
    sources, toolchain = scratch_sources, scratch_sources.toolchain
    chart = Chart.read(write_stand_in_chart(tmp_path / "kargo.tgz", sources))
    images = Images(toolchain.cache, toolchain, WITH_KARGO, Bundle(tmp_path, (), (chart,)))
    charts = Charts(images.bundle)
    component = KargoChoice(real=True).component(sources, images, Authority.create(), charts)
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


def test_a_chart_is_pulled_once(
    tmp_path: Path, kargo: KargoChart, monkeypatch: pytest.MonkeyPatch, scratch_sources: Sources
) -> None:
    with running_registry(tmp_path / "registry", tls=True) as address:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "registry/ca.crt"))
        helm = kargo.sources.toolchain.binary("helm")
        run([helm, "push", kargo.chart.path, f"oci://{address}/charts"], timeout=60)
        pulled = scratch_sources.pulled_chart(f"oci://{address}/charts/kargo", "1.8.4")
    assert (pulled.name, pulled.version, pulled.digest) == ("kargo", "1.8.4", kargo.chart.digest)
    assert scratch_sources.pulled_chart(f"oci://{address}/charts/kargo", "1.8.4") == pulled


def test_a_chart_that_cannot_be_pulled_is_told_in_one_message(scratch_sources: Sources) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"oci://127.0.0.1:{taken.getsockname()[1]}/charts/kargo"
    with pytest.raises(NotPulled, match=rf"chart {url} 1\.8\.4 cannot be pulled: .*connection refused"):
        scratch_sources.pulled_chart(url, "1.8.4")
    assert list((scratch_sources.cache.root / "charts").iterdir()) == []
