"""A run on a cluster that was made apart, with Argo CD and Argo Rollouts of somebody else, as a restricted user."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from gitops_e2e.account import Account
from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing.cluster import RUN
from gitops_e2e.clusters.existing.permissions import CLUSTER_ROLE
from gitops_e2e.clusters.node.configuration import REGISTRY
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.commands import run as run_command
from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.toolchain import Toolchain
from tests.clusters.existing.apart import a_cluster_apart, objects
from tests.clusters.kit import state_of
from tests.harness.running import REPOSITORY, assert_refused, run
from tests.local_registry import running_registry

pytestmark = pytest.mark.node

_NAME = f"apart-{os.getpid()}"
_USER = "runner"
_BOUND = 900.0
_HEADLINE = "prod_canary_exceeds_150mb_and_rolls_back"
_HOSTS = "etc/containerd/certs.d"
# Raw, before kube-proxy's rules have given such a packet another destination.
_NODE_PORTS_UNREACHED = """\
table ip node-ports-unreached {
    chain prerouting {
        type filter hook prerouting priority raw
        iifname "eth0" tcp dport 30000-32767 drop
    }
}
"""


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return Toolchain(Cache.of_user())


@pytest.fixture(scope="module")
def apart(toolchain: Toolchain) -> Iterator[Node]:
    """A node with three components that have no label of ours, and a user who has our ClusterRole."""
    with a_cluster_apart(_NAME, toolchain, theirs=toolchain) as cluster:
        for manifest in _restricted():
            Kube(cluster.kubeconfig).apply(manifest)
        yield cluster


@pytest.fixture(scope="module")
def kubeconfig(apart: Node, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The restricted user's."""
    kubectl = toolchain.binary("kubectl")
    argv = [f"--kubeconfig={apart.kubeconfig}", "-n", "default", "create", "token", _USER, "--duration=2h"]
    config = yaml.safe_load(apart.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": run_command([kubectl, *argv], timeout=30).stdout.strip()}
    file = tmp_path_factory.mktemp("restricted") / "kubeconfig"
    file.write_text(json.dumps(config))
    return file


@pytest.fixture
def unreached(apart: Node) -> Iterator[None]:
    """No packet from this machine gets to the node's NodePorts; pods and the node itself still reach them."""
    _nft(apart, _NODE_PORTS_UNREACHED)
    try:
        yield
    finally:
        _nft(apart, "delete table ip node-ports-unreached\n")


def test_a_run_uses_what_is_there_and_uninstalls_what_it_made(apart: Node, kubeconfig: Path) -> None:
    where = ("--cluster", "existing", "--kubeconfig", str(kubeconfig))
    before = objects(Kube(apart.kubeconfig))

    code, text = run(*where, "-k", "endpoints_of_stage_answer and dev", bound=_BOUND)

    assert code == 0, text
    assert "Argo CD         v3.2.11   v3.2.11" in text
    assert text.count("use as it is") == 3, text
    code, text = run(*where, "--uninstall", bound=_BOUND)
    assert code == 0, text
    assert objects(Kube(apart.kubeconfig)) == before
    assert not any(RUN in text for text in before.values())


@pytest.mark.usefixtures("unreached")
def test_node_ports_that_are_not_reached_are_forwarded_through_the_api_server(apart: Node, kubeconfig: Path) -> None:
    where = ("--cluster", "existing", "--kubeconfig", str(kubeconfig))

    code, text = run(*where, "-n", "1", "-k", "endpoints_of_stage_answer and dev", bound=_BOUND)

    assert code == 0, text
    words = f"NodePorts are reached through the API server, on 127.0.0.1 (no node answers at {apart.address})"
    assert words in text, text
    assert run(*where, "--uninstall", bound=_BOUND)[0] == 0


@pytest.mark.usefixtures("unreached")
def test_a_node_port_that_is_taken_on_this_machine_is_named(kubeconfig: Path) -> None:
    where = ("--cluster", "existing", "--kubeconfig", str(kubeconfig))

    with socket.create_server(("127.0.0.1", 30500)):
        code, text = run(*where, "-k", "Kubernetes", bound=_BOUND)

    assert_refused(code, text, "NodePort 30500 cannot be forwarded", "ss -ltnp")


@pytest.mark.long
def test_the_demo_is_brought_up_and_taken_down(apart: Node, kubeconfig: Path) -> None:
    before = objects(Kube(apart.kubeconfig))
    named = ("--name", f"demo-{_NAME}")

    up = _demo("up", "--cluster", "existing", "--kubeconfig", str(kubeconfig), *named)
    assert f"http://{apart.address}:30089/health" in up
    assert "unhealthy" not in _demo("status", *named)
    assert f"the demo demo-{_NAME} is gone" in _demo("down", *named)

    assert objects(Kube(apart.kubeconfig)) == before


@pytest.mark.long
def test_nodes_have_everything_from_a_registry_outside(apart: Node, kubeconfig: Path, tmp_path: Path) -> None:
    """They know nothing of the one in the cluster; this one asks for a login, and its certificate is from nobody."""
    hosts = apart.containerd_socket.parents[2] / _HOSTS
    (hosts / REGISTRY / "hosts.toml").unlink(missing_ok=True)
    account = Account("robot", "open:sesame")
    machine = str(IPv4Address(apart.address) - 1)  # what the node reaches of this machine
    with running_registry(tmp_path / "outside", tls=True, host=machine, account=account) as host:
        authority = tmp_path / "outside/ca.crt"
        _trust(hosts / host, authority)
        logins = tmp_path / "logins.json"
        logins.write_text(json.dumps({"auths": {host: {"auth": account.basic}}}))
        where = ("--cluster", "existing", "--kubeconfig", str(kubeconfig))
        outside = ("--registry", f"https://{host}/team", "--registry-login", str(logins))

        code, text = run(*where, *outside, "-k", _HEADLINE, env={"SSL_CERT_FILE": str(authority)}, bound=_BOUND)

    assert code == 0, text
    assert f"pushing the stack's images to {host}/team" in text
    assert "1 passed" in text
    assert run(*where, "--uninstall", bound=_BOUND)[0] == 0


def test_nodes_that_cannot_pull_from_the_cluster_are_told_of(apart: Node, kubeconfig: Path) -> None:
    where = ("--cluster", "existing", "--kubeconfig", str(kubeconfig))
    (apart.containerd_socket.parents[2] / _HOSTS / REGISTRY / "hosts.toml").unlink(missing_ok=True)

    code, text = run(*where, "-k", "Kubernetes", bound=_BOUND)

    assert_refused(code, text, "does not get the images that pods need", "docs/existing.md")
    assert run(*where, "--uninstall")[0] == 0


def _trust(folder: Path, authority: Path) -> None:
    """Let the node's runtime know from whom a host's certificate is, as who runs a cluster does."""
    folder.mkdir()
    shutil.copy(authority, folder / "ca.crt")
    (folder / "hosts.toml").write_text(f'[host."https://{folder.name}"]\nca = "/{_HOSTS}/{folder.name}/ca.crt"\n')


def _demo(*arguments: str) -> str:
    return run_command([sys.executable, "-m", "gitops_e2e", *arguments], timeout=_BOUND, cwd=REPOSITORY).stdout


def _nft(node: Node, rules: str) -> None:
    """Have rules loaded in the node's network namespace."""
    init = state_of(node.name).init
    assert init
    run_command(["nsenter", f"--net=/proc/{init.pid}/ns/net", "nft", "--file", "-"], stdin=rules, timeout=10)


def _restricted() -> Iterator[Manifest]:
    role = yaml.safe_load(CLUSTER_ROLE.read_text())
    yield role
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": _USER, "namespace": "default"}}
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _USER},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role["metadata"]["name"],
        },
        "subjects": [{"kind": "ServiceAccount", "name": _USER, "namespace": "default"}],
    }
