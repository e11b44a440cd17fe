"""What a run finds on a cluster, and what it is permitted there, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.existing import permissions
from gitops_e2e.clusters.existing.cluster import RUN
from gitops_e2e.clusters.existing.errors import PermissionsMissing, PreflightRefused
from gitops_e2e.clusters.existing.preflight import Row, Verdict, examine, require, table
from gitops_e2e.clusters.existing.uninstalling import uninstall
from gitops_e2e.components.applying import apply_all
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.component import Component
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.sources import Sources
from gitops_e2e.components.stack import Stack, components
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, KubeError, Manifest, Ref
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching import Budgets
from gitops_e2e.watching.cache import WatchCache
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

_RUNNER = "runner"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """An API server with an administrator, one who has our ClusterRole, and one who has nothing."""
    plane = ControlPlane(tmp_path, {"admin": "system:masters", _RUNNER: "runners", "nobody": "nobodies"})
    try:
        plane.start()
        role = yaml.safe_load(permissions.CLUSTER_ROLE.read_text())
        plane.kube().create(role)
        plane.kube().create(_binding(role["metadata"]["name"]))
        yield plane
    finally:
        plane.stop()


@dataclass(frozen=True)
class Part(Component):
    """A component of one Deployment and one Service."""

    image: str
    node_port: int = 30500
    name: ClassVar[str] = "Argo CD"
    namespace: ClassVar[str] = "part"

    def manifests(self) -> list[Manifest]:
        return [_namespace("part"), _deployment(self.image), _service(self.node_port)]


class Own(Part):
    """One that has to be ours."""

    name: ClassVar[str] = "Prometheus"


def test_what_is_missing_is_installed_and_then_is_ours(plane: ControlPlane) -> None:
    ours, part = _labelled(plane), Part("argocd:v3.2.11")
    theirs = plane.kube()
    theirs.create(_namespace("part"))

    assert _rows(ours, part) == [Row("Argo CD", "none", "v3.2.11", Verdict.INSTALL)]
    part.install(ours, within=10)
    assert _rows(ours, part) == [Row("Argo CD", "v3.2.11", "v3.2.11", Verdict.RENEW)]
    (other,) = _rows(ours, Part("argocd:v3.2.12"))
    assert (other.verdict, "--uninstall removes it" in other.reason) == (Verdict.REFUSE, True)


@pytest.mark.parametrize(
    ("part", "installed", "verdict", "reason"),
    [
        (Part("argocd:v3.2.11"), "argocd:v3.1.0", Verdict.USE, ""),
        (Part("argocd:v3.2.11"), "argocd:v2.14.0", Verdict.REFUSE, "version v2.14.0 is not known to work; 3.x is"),
        (Part("argocd:v3.2.11"), "argocd@sha256:0123", Verdict.REFUSE, "version 0123 is not known to work; 3.x is"),
        (Own("prom:v2"), "prom:v2", Verdict.REFUSE, "somebody else's is in namespace part, and only our own will do"),
    ],
)
def test_what_somebody_else_installed_is_used_or_refused(
    plane: ControlPlane, part: Part, installed: str, verdict: Verdict, reason: str
) -> None:
    for manifest in (_namespace("part"), _deployment(installed)):
        plane.kube().create(manifest)

    (row,) = _rows(_labelled(plane), part)

    assert (row.verdict, row.reason) == (verdict, reason)


def test_what_is_in_the_way_is_told_before_anything_is_done(plane: ControlPlane) -> None:
    part, theirs = Part("argocd:v3.2.11"), plane.kube()
    theirs.create({**_service(30500), "metadata": {"name": "other", "namespace": "default"}})

    rows = _rows(_labelled(plane), part)

    with pytest.raises(PreflightRefused, match=r"Service part is refused: (.|\n)*provided port is already allocated"):
        require(rows, where="there")
    assert theirs.find(Ref.of(_namespace("part"))) is None
    theirs.create(_namespace("part"))
    theirs.create(_service(30501))
    (row,) = _rows(_labelled(plane), part)
    assert row.reason == "Service part in namespace part is there, and somebody else made it"


def test_what_is_somebody_elses_is_neither_killed_nor_configured(plane: ControlPlane) -> None:
    for manifest in (_namespace("part"), _deployment("argocd:v3.2.11")):
        plane.kube().create(manifest)
    kube, part = _labelled(plane), Part("argocd:v3.2.11")
    stack = Stack(kube, WatchCache(kube, {}), [part], Budgets())

    with pytest.raises(HarnessError, match="Argo CD on this cluster is somebody else's: it is not disturbed"):
        stack.kill(part)
    with pytest.raises(HarnessError, match="it is not disturbed"):
        stack.configure(part, "part", {"COLOUR": "red"})


def test_the_table_has_a_line_a_component() -> None:
    rows = [Row("Argo CD", "v3.1.0", "v3.2.11", Verdict.USE), Row("Kargo", "none", "1", Verdict.REFUSE, "why")]

    assert list(table(rows)) == [
        "COMPONENT   FOUND    WANTED    WHAT IS DONE",
        "Argo CD     v3.1.0   v3.2.11   use as it is",
        "Kargo       none     1         refuse: why",
    ]


def test_who_lacks_permissions_is_told_which(plane: ControlPlane) -> None:
    permissions.require(plane.kube())
    permissions.require(Kube(plane.kubeconfig_of(_RUNNER), labels={RUN: "run"}))
    with pytest.raises(PermissionsMissing) as refused:
        permissions.require(Kube(plane.kubeconfig_of("nobody")))

    assert "  stages.kargo.akuity.io: get, list, watch, create, patch, delete, promote\n" in str(refused.value)
    assert "  pods/log: get\n" in str(refused.value)
    with pytest.raises(KubeError, match="forbidden"):
        Kube(plane.kubeconfig_of("nobody")).find(Ref("v1", "Pod", "one", "default"))


def test_the_cluster_role_is_enough_to_install_the_stack_and_to_take_it_away(plane: ControlPlane) -> None:
    plane.run_controller(
        "kube-controller-manager",
        "--controllers=garbage-collector-controller,namespace-controller",
        "--leader-elect=false",
        "--secure-port=0",
    )
    runner = Kube(plane.kubeconfig_of(_RUNNER), labels={RUN: "run"})
    before = {str(Ref.of(each)) for each in _roles_and_places(plane.kube())}
    parts = _stack()
    manifests = [manifest for part in parts for manifest in part.manifests()]

    require(examine(runner, parts), where="there")
    apply_all(runner, manifests, within=60)
    removed = uninstall(runner)

    assert {Ref.of(each) for each in manifests} - set(removed) == set()
    assert {str(Ref.of(each)) for each in _roles_and_places(plane.kube())} == before


def _stack() -> Sequence[Component]:
    toolchain = Toolchain(Cache.of_user())
    images = Images(toolchain.cache, toolchain)
    return components(Sources(toolchain.cache, toolchain), images, Authority.create(), KargoChoice())


def _roles_and_places(kube: Kube) -> Iterator[Manifest]:
    for resource in kube.deletable():
        if resource.kind in {"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}:
            yield from kube.list(resource)


def _rows(kube: Kube, *parts: Component) -> list[Row]:
    return examine(kube, parts)


def _labelled(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig, labels={RUN: "run"})


def _binding(role: str) -> Manifest:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": _RUNNER}],
    }


def _namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _deployment(image: str) -> Manifest:
    labels = {"app": "part"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "part", "namespace": "part"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }


def _service(node_port: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "part", "namespace": "part"},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": node_port}]},
    }
