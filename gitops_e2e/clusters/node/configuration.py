"""The files that the node's programs are configured by.

JSON is YAML, so what Kubernetes' components read is written as JSON.
"""

from __future__ import annotations

import json
import resource
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from gitops_e2e.clusters.node.layout import CONTAINERD_ROOT, CONTAINERD_SOCKET, KUBERNETES, PKI, Layout
from gitops_e2e.clusters.node.network import DNS_SERVICE, PODS

REGISTRY = "registry.gitops-e2e.svc.cluster.local:5000"
REGISTRY_SERVICE = "10.96.0.50:5000"

_CNI = Path("/etc/cni/net.d")
_REGISTRIES = Path("/etc/containerd/certs.d")
_RESOLV_CONF = Path("/etc/resolv.conf")
_MOST_FILES = 1_000_000


def write(layout: Layout, node: str, address: IPv4Address, pause: str) -> None:
    """Write every file below the node's /etc, but certificates and kubeconfigs. `pause` is the sandbox image."""
    for path, content in files(node, address, pause).items():
        file = layout.of(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def files(node: str, address: IPv4Address, pause: str) -> dict[Path, str]:
    """The files by their path in the node."""
    return {
        Path("/etc/hostname"): f"{node}\n",
        Path("/etc/hosts"): f"127.0.0.1 localhost\n{address} {node}\n",
        # The node asks no name server: its programs use addresses, and CoreDNS has nobody to forward to.
        _RESOLV_CONF: "nameserver 127.0.0.1\n",
        # nft translates protocol names by this file, which not every machine has.
        Path("/etc/protocols"): "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n",
        # The kubelet looks for a user of its own, and wants to find none.
        Path("/etc/passwd"): "root:x:0:0:root:/root:/bin/sh\n",
        Path("/etc/group"): "root:x:0:\n",
        Path("/etc/containerd/config.toml"): _containerd(pause),
        _REGISTRIES / REGISTRY / "hosts.toml": registry_hosts(),
        _CNI / "10-pods.conflist": _json(_cni()),
        KUBERNETES / "kubelet.json": _json(_kubelet()),
        KUBERNETES / "kube-proxy.json": _json(_kube_proxy(node)),
        KUBERNETES / "scheduler.json": _json(_scheduler()),
    }


def _containerd(pause: str) -> str:
    """For containerd 1.6.

    `restrict_oom_score_adj` and the hugetlb settings are for machines that lack CAP_SYS_RESOURCE or that
    controller; with them nothing is lost on others. AppArmor's profiles would be the machine's.
    """
    return f"""\
version = 2
root = "{CONTAINERD_ROOT}"
state = "{CONTAINERD_SOCKET.parent}"

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{_CNI}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{_REGISTRIES}"
"""


def registry_hosts() -> str:
    """The runtime resolves no names of the cluster, so the registry's name leads to its fixed service address."""
    url = f"http://{REGISTRY_SERVICE}"
    return f"""\
server = "{url}"

[host."{url}"]
  capabilities = ["pull", "resolve"]
"""


def _cni() -> dict[str, Any]:
    """One veth pair for each pod, routed and not bridged: services then need no br_netfilter module.

    Without `ipMasq`, as pods have nowhere to go but the node.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": str(PODS)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni/networks",
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": ipam}]}


def _kubelet() -> dict[str, Any]:
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most_files = _MOST_FILES if hard_limit == resource.RLIM_INFINITY else min(hard_limit, _MOST_FILES)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{PKI}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet.key",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "failSwapOn": False,
        "kubeAPIBurst": 1000,
        "kubeAPIQPS": 500,
        "maxOpenFiles": most_files,
        "maxPods": 250,
        "readOnlyPort": 0,
        "resolvConf": str(_RESOLV_CONF),
        "serializeImagePulls": False,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        # The machine's disk is not the node's: neither pods nor images are to go because it is full of other things.
        "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%"},
        "imageGCHighThresholdPercent": 100,
    }


def _kube_proxy(node: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": "0.0.0.0",  # noqa: S104 - in the node's own network namespace
        "clientConnection": {"kubeconfig": f"{KUBERNETES}/proxy.conf"},
        "clusterCIDR": str(PODS),
        # The limits of connection tracking are the machine's, not the node's: leave them.
        "conntrack": {"maxPerCore": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "hostnameOverride": node,
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "nftables",
        "nftables": {"minSyncPeriod": "100ms"},  # 1 s by default: how late a Service follows its pods
    }


def _scheduler() -> dict[str, Any]:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": f"{KUBERNETES}/scheduler.conf", "burst": 1000, "qps": 500},
        "leaderElection": {"leaderElect": False},
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2)
