"""The processes of a node as a table: what each waits for, how it is run, when it counts as ready.

The table is data that the owner writes and init reads, so init needs to know nothing of Kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gitops_e2e.clusters.node.layout import CONTAINERD_SOCKET, KUBERNETES, LOGS, PKI
from gitops_e2e.clusters.node.network import API_SERVICE, SERVICES, Subnet

BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")
"""The commands that the caller provides; containerd comes with the machine's packages."""

Binary = Callable[[str], Path]
"""Where a command of that name is on the machine."""

_API = "https://127.0.0.1:6443"
_ETCD = "http://127.0.0.1:2379"
_ETCD_PEERS = "http://127.0.0.1:2380"


@dataclass(frozen=True)
class Probe:
    """A question with the answer yes or not yet.

    `connect`: does `host:port` or the Unix socket accept a connection; `get`: does the URL answer 200 to the
    cluster's administrator, with `contains` in what it says; `read`: does the file have `contains` in it.
    """

    kind: Literal["connect", "get", "read"]
    target: str
    contains: str = ""


@dataclass(frozen=True)
class Process:
    """A process: started once those it comes `after` are ready and what it `needs` is there."""

    name: str
    argv: tuple[str, ...]
    ready: Probe
    after: tuple[str, ...] = ()
    needs: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class Table:
    """All processes of a node, and what must be true, besides their readiness, for the node to be ready.

    `folders` are those of the machine that they use, outside of /usr.
    """

    processes: tuple[Process, ...]
    ready: tuple[Probe, ...]
    folders: tuple[str, ...]

    def to_json(self) -> str:
        """The table as JSON."""
        return json.dumps(asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> Table:
        """The table that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        ready = tuple(Probe(**probe) for probe in raw["ready"])
        return Table(tuple(map(_process, raw["processes"])), ready, tuple(raw["folders"]))


def _process(raw: dict[str, Any]) -> Process:
    return Process(
        name=raw["name"],
        argv=tuple(raw["argv"]),
        ready=Probe(**raw["ready"]),
        after=tuple(raw["after"]),
        needs=tuple(Probe(**probe) for probe in raw["needs"]),
    )


def node_processes(name: str, subnet: Subnet, binary: Binary, golden: Path) -> Table:
    """What makes a Kubernetes node of one machine: control plane, container runtime, kubelet, service proxy.

    `golden` is the containerd root whose layers the node's own refers to.

    What forces the order: the controller-manager exits if RBAC's bootstrap is not done, which /readyz waits for;
    the kubelet exits without the runtime's socket, and also when the runtime answers that it "is not initialized
    yet", as it does until the last log line of its CRI plugin (containerd 1.6). What else is waited for saves time:
    the API server tries again after a second where etcd did not listen, kube-proxy where the node had no address.
    The kubelet's rights come from the Node authorizer, so it need not wait for RBAC's bootstrap, a second later.
    """
    this_node = f"{_API}/api/v1/nodes/{name}"
    return Table(
        processes=(
            _etcd(binary),
            _apiserver(binary, subnet),
            Process(
                "containerd",
                ("/usr/bin/containerd", "--config=/etc/containerd/config.toml"),
                ready=Probe("connect", str(CONTAINERD_SOCKET)),
            ),
            _controller_manager(binary),
            _scheduler(binary),
            Process(
                "kubelet",
                (
                    str(binary("kubelet").resolve()),
                    "--config=/etc/kubernetes/kubelet.json",
                    f"--kubeconfig={KUBERNETES}/kubelet.conf",
                    f"--hostname-override={name}",
                    f"--node-ip={subnet.node}",
                    "--housekeeping-interval=1s",  # how old a container's memory figure can be; not in the file
                ),
                after=("containerd",),
                needs=(
                    Probe("connect", "127.0.0.1:6443"),
                    Probe("read", str(LOGS / "containerd.log"), contains="Start streaming server"),
                ),
                ready=Probe("get", "http://127.0.0.1:10248/healthz"),
            ),
            Process(
                "kube-proxy",
                (str(binary("kube-proxy").resolve()), "--config=/etc/kubernetes/kube-proxy.json"),
                after=("kube-apiserver",),
                needs=(Probe("get", this_node, contains='"type":"InternalIP"'),),
                ready=Probe("get", "http://127.0.0.1:10256/livez"),
            ),
        ),
        ready=(
            Probe("get", this_node, contains='"type":"Ready","status":"True"'),
            Probe("get", f"{_API}/api/v1/namespaces/default/serviceaccounts/default"),  # pods are refused without it
            Probe("connect", f"{API_SERVICE}:443"),  # services are programmed
        ),
        folders=tuple(sorted({str(golden), *(str(binary(command).resolve().parent) for command in BINARIES)})),
    )


def _etcd(binary: Binary) -> Process:
    argv = (
        str(binary("etcd").resolve()),
        "--data-dir=/var/lib/etcd",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        f"--listen-peer-urls={_ETCD_PEERS}",
        f"--initial-advertise-peer-urls={_ETCD_PEERS}",
        f"--initial-cluster=default={_ETCD_PEERS}",
        "--unsafe-no-fsync",  # a node that the machine's crash takes with it has nothing to save
        "--log-level=warn",
    )
    return Process("etcd", argv, ready=Probe("get", f"{_ETCD}/health"))


def _apiserver(binary: Binary, subnet: Subnet) -> Process:
    argv = (
        str(binary("kube-apiserver").resolve()),
        f"--advertise-address={subnet.node}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={PKI}/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        f"--etcd-servers={_ETCD}",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
        "--secure-port=6443",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key",
        f"--service-cluster-ip-range={SERVICES}",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
    )
    etcd_listens = Probe("connect", "127.0.0.1:2379")
    return Process("kube-apiserver", argv, needs=(etcd_listens,), ready=Probe("get", f"{_API}/readyz"))


def _controller_manager(binary: Binary) -> Process:
    config = f"{KUBERNETES}/controller-manager.conf"
    argv = (
        str(binary("kube-controller-manager").resolve()),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        "--kube-api-burst=1000",  # the defaults slow down whoever installs a whole stack at once
        "--kube-api-qps=500",
        "--leader-elect=false",
        "--profiling=false",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/sa.key",
        f"--service-cluster-ip-range={SERVICES}",
        f"--tls-cert-file={PKI}/controller-manager.crt",
        f"--tls-private-key-file={PKI}/controller-manager.key",
        "--use-service-account-credentials=true",
    )
    healthy = Probe("get", "https://127.0.0.1:10257/healthz")
    return Process("kube-controller-manager", argv, after=("kube-apiserver",), ready=healthy)


def _scheduler(binary: Binary) -> Process:
    config = f"{KUBERNETES}/scheduler.conf"
    argv = (
        str(binary("kube-scheduler").resolve()),
        "--config=/etc/kubernetes/scheduler.json",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--tls-cert-file={PKI}/scheduler.crt",
        f"--tls-private-key-file={PKI}/scheduler.key",
    )
    healthy = Probe("get", "https://127.0.0.1:10259/healthz")
    return Process("kube-scheduler", argv, after=("kube-apiserver",), ready=healthy)
