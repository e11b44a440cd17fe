"""The node's configuration files, as the programs that read them take them."""

from __future__ import annotations

import json
import tomllib
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from gitops_e2e.clusters.node import configuration
from gitops_e2e.clusters.node.layout import Layout
from gitops_e2e.commands import run

_PAUSE = "gitops-e2e.local/pause:0.1.7"


@pytest.fixture
def files() -> dict[str, str]:
    written = configuration.files("one", IPv4Address("10.231.0.6"), _PAUSE)
    return {str(path): content for path, content in written.items()}


def test_containerd_uses_the_pause_image_and_asks_certs_d_for_registries(files: dict[str, str]) -> None:
    cri = tomllib.loads(files["/etc/containerd/config.toml"])["plugins"]["io.containerd.grpc.v1.cri"]

    assert cri["sandbox_image"] == _PAUSE
    assert cri["registry"]["config_path"] == "/etc/containerd/certs.d"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False


def test_the_registrys_name_leads_to_its_service_over_plain_http(files: dict[str, str]) -> None:
    path = "/etc/containerd/certs.d/registry.gitops-e2e.svc.cluster.local:5000/hosts.toml"
    hosts = tomllib.loads(files[path])

    assert hosts["server"] == "http://10.96.0.50:5000"
    assert hosts["host"]["http://10.96.0.50:5000"]["capabilities"] == ["pull", "resolve"]


def test_the_kubelet_evicts_nothing_and_has_room_for_many_pods(files: dict[str, str]) -> None:
    kubelet = json.loads(files["/etc/kubernetes/kubelet.json"])

    assert set(kubelet["evictionHard"].values()) == {"0%"}
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert kubelet["maxPods"] == 250


def test_everything_is_written_below_the_nodes_etc(tmp_path: Path) -> None:
    layout = Layout(tmp_path)

    configuration.write(layout, "one", IPv4Address("10.231.0.6"), _PAUSE)

    assert (tmp_path / "etc/hosts").read_text() == "127.0.0.1 localhost\n10.231.0.6 one\n"
    assert {path.name for path in tmp_path.iterdir()} == {"etc"}


@pytest.mark.node
def test_containerd_itself_accepts_its_configuration(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(files["/etc/containerd/config.toml"])

    merged = run(["containerd", "--config", tmp_path / "config.toml", "config", "dump"], timeout=20).stdout

    assert tomllib.loads(merged)["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"] == _PAUSE
