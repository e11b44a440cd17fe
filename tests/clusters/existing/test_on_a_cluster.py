"""A run on a cluster that was made apart, with Argo CD and Argo Rollouts of somebody else, as a restricted user."""

from __future__ import annotations

import json
import os
import shutil
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
from tests.harness.running import assert_refused, run
from tests.local_registry import running_registry

pytestmark = pytest.mark.node

_NAME = f"apart-{os.getpid()}"
_USER = "runner"
_BOUND = 900.0
_HEADLINE = "prod_canary_exceeds_150mb_and_rolls_back"
_HOSTS = "etc/containerd/certs.d"


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
