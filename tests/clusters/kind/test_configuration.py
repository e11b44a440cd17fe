"""What kind is told of a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.clusters.kind import configuration
from gitops_e2e.toolchain.gomod import GoMod
from gitops_e2e.toolchain.modules import MODULES

PARTS = configuration.Parts(images="images.test", etcd="v9")


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    path = configuration.write(tmp_path, demo_ports=True, parts=PARTS)
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def patch_of(document: dict[str, Any], kind: str) -> dict[str, Any]:
    patches: list[dict[str, Any]] = [json.loads(patch) for patch in document["kubeadmConfigPatches"]]
    return next(patch for patch in patches if patch["kind"] == kind)


def test_the_ports_that_people_know_are_mapped_to_this_machine_alone(written: dict[str, Any]) -> None:
    mappings = written["nodes"][0]["extraPortMappings"]
    assert {each["hostPort"] for each in mappings} >= {30087, 30088, 30089, 30090}
    assert {each["listenAddress"] for each in mappings} == {"127.0.0.1"}
    assert all(each["hostPort"] == each["containerPort"] for each in mappings)


def test_a_cluster_beside_another_maps_none(tmp_path: Path) -> None:
    path = configuration.write(tmp_path, demo_ports=False, parts=PARTS)
    assert json.loads(path.read_text())["nodes"][0]["extraPortMappings"] == []


def test_the_node_is_told_where_the_registry_is(written: dict[str, Any]) -> None:
    mount = written["nodes"][0]["extraMounts"][0]
    hosts = Path(mount["hostPath"]) / "registry.gitops-e2e.svc.cluster.local:5000/hosts.toml"
    assert 'server = "http://10.96.0.50:5000"' in hosts.read_text()
    assert mount["containerPath"] in written["containerdConfigPatches"][0]


def test_the_control_plane_is_started_from_our_images(written: dict[str, Any]) -> None:
    cluster = patch_of(written, "ClusterConfiguration")
    assert cluster["imageRepository"] == "images.test"
    assert cluster["etcd"]["local"]["imageTag"] == "v9"


def test_kindest_node_has_a_control_plane_and_a_network_of_its_own(tmp_path: Path) -> None:
    path = configuration.write(tmp_path, demo_ports=True, parts=None)
    upstream: dict[str, Any] = json.loads(path.read_text())
    cluster = patch_of(upstream, "ClusterConfiguration")
    assert "imageRepository" not in cluster
    assert cluster["etcd"]["local"] == {"extraArgs": {"unsafe-no-fsync": "true"}}
    assert upstream["networking"]["disableDefaultCNI"] is False
    assert 30091 in {each["hostPort"] for each in upstream["nodes"][0]["extraPortMappings"]}


def test_coredns_is_left_to_the_stack(written: dict[str, Any]) -> None:
    assert "addon/coredns" in patch_of(written, "InitConfiguration")["skipPhases"]


def test_kubeadm_is_of_the_kubernetes_that_the_node_is_made_of() -> None:
    pinned = {
        module.name: GoMod.read(module.folder / "go.mod").requirements["k8s.io/kubernetes"]
        for module in MODULES
        if module.name in {"kind", "stack"}
    }
    assert pinned["kind"] == pinned["stack"]
