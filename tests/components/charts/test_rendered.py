"""Components by their charts: what is rendered and adapted. Each chart is a small one that stands for the real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, Chart, ImageArchive
from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed
from gitops_e2e.components.argocd import ArgoCD
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.cert_manager import CertManager
from gitops_e2e.components.git_server import HOST
from gitops_e2e.components.prometheus_stack import PrometheusStack
from gitops_e2e.components.rollouts import Rollouts
from gitops_e2e.components.sources import Sources, _completed
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.toolchain import Toolchain
from tests.archives import write_chart, write_tar

pytestmark = pytest.mark.node  # helm has to be built

_REDIS = ImageArchive(Path("/bundle/r.tar"), "oci-archive", "public.ecr.aws/docker/library/redis", "8.2.2-alpine", "0")

_DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - {name: main, image: "IMAGE"}
"""


def deployment(name: str, image: str) -> str:
    return _DEPLOYMENT.replace("NAME", name).replace("IMAGE", image)


_ARGO_CD = (
    deployment("{{ .Values.fullnameOverride }}-repo-server", "quay.io/argoproj/argocd:{{ .Chart.AppVersion }}")
    + deployment("{{ .Values.fullnameOverride }}-redis", "{{ .Values.redis.image.repository }}:8.2.2-alpine")
    + """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Values.fullnameOverride }}-server"}
spec:
  template:
    spec:
      {{- with .Values.server.extensions }}
      initContainers:
      {{- range .extensionList }}
      - {name: "{{ .name }}", image: "quay.io/argoprojlabs/argocd-extension-installer:v0.0.9", env: {{ toJson .env }}}
      {{- end }}
      {{- end }}
      containers:
      - {name: server, image: "quay.io/argoproj/argocd:{{ .Chart.AppVersion }}"}
---
{{- if .Values.redisSecretInit.enabled }}{{ fail "the Secret is there before" }}{{ end }}
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-tls-certs-cm}
"""
)

_MONITORING = (
    deployment("{{ .Release.Name }}-operator", "quay.io/prometheus-operator/prometheus-operator:v0.93.0@sha256:0")
    + """\
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: "{{ .Values.fullnameOverride }}-prometheus", namespace: "{{ .Release.Namespace }}"}
spec: {scrapeInterval: "{{ .Values.prometheus.prometheusSpec.scrapeInterval }}"}
"""
)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(Cache(tmp_path / "cache"), Toolchain(Cache.of_user()))


@pytest.fixture
def images(sources: Sources, tmp_path: Path) -> Images:
    return Images(sources.cache, sources.toolchain, bundle=Bundle(tmp_path, (_REDIS,)))


def chart_of(tmp_path: Path, name: str, version: str, template: str) -> Chart:
    return Chart.read(write_chart(tmp_path / f"{name}.tgz", name, version, {"templates/all.yaml": template}))


def images_of(manifests: Sequence[Manifest]) -> Mapping[str, list[str]]:
    return {
        each["metadata"]["name"]: [
            container["image"]
            for kind in ("initContainers", "containers")
            for container in each["spec"]["template"]["spec"].get(kind, [])
        ]
        for each in manifests
        if each["kind"] == "Deployment"
    }


@pytest.fixture
def argo_cd(tmp_path: Path, sources: Sources, images: Images) -> ArgoCD:
    return ArgoCD(sources, images, Authority.create(), chart_of(tmp_path, "argo-cd", "9.3.4", _ARGO_CD))


def test_argo_cd_runs_our_images_and_trusts_the_git_server(argo_cd: ArgoCD) -> None:
    manifests = argo_cd.manifests()
    ours = "gitops-e2e.local/argocd:v3.2.11"
    assert images_of(manifests) == {
        "argocd-repo-server": [ours],
        "argocd-redis": [_REDIS.reference],
        "argocd-server": [ours],
    }
    (trust,) = (each for each in manifests if each["metadata"]["name"] == "argocd-tls-certs-cm")
    assert trust["data"] == {HOST: argo_cd.authority.certificate}
    assert argo_cd.pinned() == "v3.2.11"


def test_argo_cd_has_the_extension_of_its_ui_where_pods_reach_the_internet(argo_cd: ArgoCD) -> None:
    upstream = replace(argo_cd, images=replace(argo_cd.images, upstream=True)).manifests()
    published = "quay.io/argoproj/argocd:v3.2.11"
    assert images_of(upstream)["argocd-server"] == [
        "quay.io/argoprojlabs/argocd-extension-installer:v0.0.9",
        published,
    ]
    (server,) = (each for each in upstream if each["metadata"]["name"] == "argocd-server")
    (extension,) = server["spec"]["template"]["spec"]["initContainers"]
    (url,) = extension["env"]
    assert url["value"].endswith("/v0.3.4/extension.tar")


def test_argo_rollouts_needs_no_election(tmp_path: Path, sources: Sources, images: Images) -> None:
    template = deployment("{{ .Values.fullnameOverride }}", "quay.io/argoproj/argo-rollouts:{{ .Chart.AppVersion }}")
    component = Rollouts(sources, images, chart_of(tmp_path, "argo-rollouts", "2.41.1", template))
    (controller,) = (each for each in component.manifests() if each["kind"] == "Deployment")
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--leader-elect=false"]
    assert component.workloads() == [Ref("apps/v1", "Deployment", "argo-rollouts", "argo-rollouts")]
    assert component.pinned() == "v1.9.2"


def test_cert_manager_has_the_same_values_by_either_chart(tmp_path: Path, sources: Sources, images: Images) -> None:
    template = deployment("{{ .Release.Name }}", "quay.io/jetstack/cert-manager-controller:v1.11.5") + (
        "      - {name: told, image: quay.io/jetstack/cert-manager-webhook, args: {{ toJson .Values.extraArgs }}}\n"
    )
    chart = chart_of(tmp_path, "cert-manager", "v1.11.5", template)
    component = CertManager(sources, images, Authority.create(), chart)
    (controller,) = (each for each in component.manifests() if each["kind"] == "Deployment")
    main, told = controller["spec"]["template"]["spec"]["containers"]
    assert main["image"] == "gitops-e2e.local/cert-manager-controller:v1.11.5"
    assert told["args"] == ["--leader-elect=false"]
    assert component.workloads() == [Ref("apps/v1", "Deployment", "cert-manager", "cert-manager")]


def test_cert_manager_is_the_same_by_the_chart_of_its_module_and_by_a_packed_one(
    tmp_path: Path, sources: Sources, images: Images
) -> None:
    module = "github.com/cert-manager/cert-manager"
    source, version = sources.toolchain.module_dir(module), sources.toolchain.version(module)
    folder = _completed(source / "deploy/charts/cert-manager", source / "deploy/crds", version, tmp_path)
    files = {
        f"cert-manager/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    chart = Chart.read(write_tar(tmp_path / "chart.tgz", files, compressed=True))
    by_module = CertManager(sources, images, Authority.create())
    by_chart = replace(by_module, chart=chart)
    assert (chart.version, chart.app_version) == ("v1.11.5", "v1.11.5")
    assert by_chart.manifests() == by_module.manifests()


def test_monitoring_has_what_analyses_ask_and_the_dashboard(tmp_path: Path, sources: Sources) -> None:
    component = PrometheusStack(sources, chart_of(tmp_path, "kube-prometheus-stack", "88.0.0", _MONITORING))
    manifests = component.manifests()
    (operator,) = images_of(manifests).values()
    assert operator == ["quay.io/prometheus-operator/prometheus-operator:v0.93.0@sha256:0"]
    (made,) = (each for each in manifests if each["kind"] == "Prometheus")
    assert (made["metadata"]["namespace"], made["spec"]["scrapeInterval"]) == ("monitoring", "2s")
    assert component.node_ports() == [30090]
    assert [each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"] == ["kargo-demo-dashboard"]
    assert [ref.kind for ref in component.workloads()] == ["StatefulSet", "Deployment"]
    assert component.workloads()[0].name == f"prometheus-{made['metadata']['name']}"
    assert component.pinned() == "chart kube-prometheus-stack 88.0.0"


def test_a_chart_with_an_image_that_nobody_has_is_refused(tmp_path: Path, sources: Sources, images: Images) -> None:
    template = deployment("a", "docker.io/team/other:1")
    component = Rollouts(sources, images, chart_of(tmp_path, "argo-rollouts", "2.41.1", template))
    with pytest.raises(HarnessError, match=r"no image of ours stands for docker\.io/team/other"):
        component.manifests()


def test_a_chart_that_does_not_take_the_values_says_so(tmp_path: Path, sources: Sources, images: Images) -> None:
    component = Rollouts(sources, images, chart_of(tmp_path, "argo-rollouts", "2.41.1", "{{ fail `two controllers` }}"))
    with pytest.raises(CommandFailed, match="two controllers"):
        component.manifests()
