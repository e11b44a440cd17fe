"""Where Kargo's image and chart cannot be had: a bundle of stand-ins for both, which the harness takes for them.

The image is the promotion engine's under Kargo's name. The chart has Kargo's name, version, values and workloads;
what the engine does in one pod it does in `kargo-controller`, and the pods of the other workloads do nothing.

    python -m tests.kargo_stand_in DIR
"""

from __future__ import annotations

import copy
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.components.sources import Sources
from gitops_e2e.images import Images
from gitops_e2e.images.buildah import Build
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter import KARGO_VERSION, VERSION
from gitops_e2e.promoter.admission.configuration import BehindService, InjectedBy, configurations, serving_certificate
from gitops_e2e.promoter.api import crds
from gitops_e2e.toolchain import Toolchain
from tests.archives import write_chart

REFERENCE = f"ghcr.io/akuity/kargo:v{KARGO_VERSION}"
DEPLOYMENTS = ("kargo-controller", "kargo-management-controller", "kargo-webhooks-server")

_WEBHOOKS = BehindService("kargo", "kargo-webhooks-server")
_IMAGE = "{{ .Values.image.repository }}:{{ .Chart.AppVersion }}"
_TRUST = "{{ .Values.controller.cabundle.configMapName }}"
# Defaults are those of Kargo's chart.
_VALUES = """\
image: {repository: ghcr.io/akuity/kargo}
api: {enabled: true}
externalWebhooksServer: {enabled: true}
garbageCollector: {enabled: true}
webhooksServer: {tls: {selfSignedCert: true}}
controller:
  argocd: {integrationEnabled: true, namespace: argocd}
  rollouts: {integrationEnabled: true}
  cabundle: {configMapName: ""}
"""
_NOT_INSTALLED = """\
{{- range $part := list "api" "externalWebhooksServer" "garbageCollector" }}
{{- if (index $.Values $part).enabled }}{{ fail (printf "%s is not to be installed" $part) }}{{ end }}
{{- end }}
"""


def write_stand_in_chart(path: Path, sources: Sources, version: str = KARGO_VERSION) -> Path:
    """The chart. Its kinds lie in `crds/`, where helm renders nothing."""
    own = [manifest for manifest in sources.own("kargo.yaml") if manifest["kind"] != "Namespace"]
    (controller,) = (manifest for manifest in own if manifest["kind"] == "Deployment")
    others = [manifest for manifest in own if manifest["kind"] != "Deployment"]
    certificate = serving_certificate(_WEBHOOKS, secret="kargo-webhooks-server-cert")
    webhooks = configurations(_WEBHOOKS, InjectedBy(_WEBHOOKS.namespace, _WEBHOOKS.name))
    workloads = [_controller(controller), *(_idle(name) for name in DEPLOYMENTS[1:])]
    files = {
        "values.yaml": _VALUES,
        "crds/kinds.yaml": _documents(crds.manifests()),
        "templates/all.yaml": _documents([*others, *certificate, *webhooks, *workloads]),
        "templates/not-installed.yaml": _NOT_INSTALLED,
    }
    return write_chart(path, "kargo", version, files)


def build_stand_in_image(folder: Path, images: Images, reference: str = REFERENCE) -> Path:
    """The engine's image as an OCI archive that says that it is `reference`."""
    folder.mkdir()
    containerfile = folder / "Containerfile"
    version = reference.rpartition(":")[2]
    containerfile.write_text(f"ARG BASE\nFROM ${{BASE}}\nLABEL org.opencontainers.image.version={version}\n")
    base = images.archive(f"promoter:{VERSION}")
    return Build(reference, containerfile, folder, arguments={"BASE": f"oci-archive:{base}"}).to(folder)


def write_stand_in_bundle(folder: Path, image_format: str = "oci-archive") -> Path:
    """A bundle of both; the image is an "oci-archive" or a "docker-archive"."""
    toolchain = Toolchain(Cache.of_user())
    folder.mkdir(exist_ok=True)
    write_stand_in_chart(folder / f"kargo-{KARGO_VERSION}.tgz", Sources(toolchain.cache, toolchain))
    with tempfile.TemporaryDirectory() as scratch:
        archive = build_stand_in_image(Path(scratch) / "image", Images(toolchain.cache, toolchain))
        target = f"{image_format}:{folder / 'kargo.tar'}:{REFERENCE}"
        run(["skopeo", "--insecure-policy", "copy", "--quiet", f"oci-archive:{archive}", target], timeout=120)
    return folder


def _controller(deployment: Manifest) -> Manifest:
    changed = copy.deepcopy(deployment)
    pod = changed["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    container.update(name="controller", image=_IMAGE)
    container["env"].append({"name": "ARGOCD_NAMESPACE", "value": "{{ .Values.controller.argocd.namespace }}"})
    (trust,) = (volume for volume in pod["volumes"] if volume["name"] == "trust")
    trust["configMap"]["name"] = _TRUST
    return changed


def _idle(name: str) -> Manifest:
    labels = {"app": name}
    container = {"name": "idle", "image": _IMAGE, "command": ["/usr/bin/tini", "--", "sleep", "infinity"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "{{ .Release.Namespace }}"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _documents(manifests: Iterable[Manifest]) -> str:
    return yaml.safe_dump_all(manifests)


if __name__ == "__main__":
    write_stand_in_bundle(Path(sys.argv[1]))
