"""kind's configuration of a cluster, and what the node's containerd is told of the registry.

JSON is YAML, so it is written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_e2e.clusters.node.configuration import REGISTRY, registry_hosts
from gitops_e2e.components.git_server import NODE_PORT as GIT_PORT
from gitops_e2e.components.prometheus import NODE_PORT as PROMETHEUS_PORT
from gitops_e2e.components.prometheus_stack import GRAFANA_PORT
from gitops_e2e.components.registry import NODE_PORT as REGISTRY_PORT
from gitops_e2e.pipeline.node_ports import DEMO_PORTS

DEMO = (*DEMO_PORTS.values(), PROMETHEUS_PORT, GIT_PORT, REGISTRY_PORT)
"""The NodePorts that people know by number, mapped to this machine's loopback address."""

KNOWN = (*DEMO, GRAFANA_PORT)
"""The same of a cluster that is made of what is published."""

_REGISTRIES = "/etc/containerd/certs.d"
_CRI = "io.containerd.grpc.v1.cri"


@dataclass(frozen=True)
class Parts:
    """What the control plane of our own node image is made of: where its images are, and the tag of etcd's."""

    images: str
    etcd: str


def write(folder: Path, *, demo_ports: bool, parts: Parts | None) -> Path:
    """Write the registry's settings and the configuration, which is returned; `config` has the arguments' meaning."""
    hosts = folder / "certs.d" / REGISTRY / "hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(registry_hosts())
    known = DEMO if parts else KNOWN
    path = folder / "kind.json"
    content = config(folder / "certs.d", ports=known if demo_ports else (), parts=parts)
    path.write_text(json.dumps(content, indent=2))
    return path


def config(registries: Path, *, ports: Sequence[int], parts: Parts | None) -> dict[str, Any]:
    """A node that is control plane and worker.

    `registries` is the folder with the registry's settings, `ports` are NodePorts to map to 127.0.0.1. Without `parts`
    it is kindest/node, which has kubeadm's control plane in it, and kind's own network.
    """
    return {
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "kind": "Cluster",
        # Our image has a static network configuration.
        "networking": {"disableDefaultCNI": parts is not None, "kubeProxyMode": "nftables"},
        "nodes": [
            {
                "role": "control-plane",
                "extraMounts": [{"hostPath": str(registries), "containerPath": _REGISTRIES, "readOnly": True}],
                "extraPortMappings": [
                    {"containerPort": port, "hostPort": port, "listenAddress": "127.0.0.1"} for port in ports
                ],
            }
        ],
        "containerdConfigPatches": [f'[plugins."{_CRI}".registry]\n  config_path = "{_REGISTRIES}"\n'],
        "kubeadmConfigPatches": [json.dumps(patch) for patch in _kubeadm(parts)],
    }


def _kubeadm(parts: Parts | None) -> Sequence[Mapping[str, Any]]:
    """What the built-in node has, too: a busy stack is slow by the defaults, which are for large clusters."""
    often = {"kube-api-qps": "500", "kube-api-burst": "1000"}
    return (
        {
            "kind": "ClusterConfiguration",
            **({"imageRepository": parts.images} if parts else {}),
            "controllerManager": {"extraArgs": often},
            "etcd": {
                "local": {
                    **({"imageTag": parts.etcd} if parts else {}),
                    "extraArgs": {"unsafe-no-fsync": "true"},
                }
            },
        },
        {
            "kind": "InitConfiguration",
            # kind leaves out the first; CoreDNS is a component, the same on every cluster.
            "skipPhases": ["preflight", "addon/coredns"],
            # How old a container's memory figure can be; there is no field for it.
            "nodeRegistration": {"kubeletExtraArgs": {"housekeeping-interval": "1s"}},
        },
        {
            "kind": "KubeletConfiguration",
            "kubeAPIBurst": 1000,
            "kubeAPIQPS": 500,
            "maxPods": 250,
            "serializeImagePulls": False,
        },
        # How late a Service follows its pods.
        {"kind": "KubeProxyConfiguration", "nftables": {"minSyncPeriod": "100ms"}},
    )
