"""Whose an object is, and taking ours away, on a real API server."""

from __future__ import annotations

import pytest

from gitops_e2e.clusters.existing.cluster import RUN
from gitops_e2e.clusters.existing.uninstalling import uninstall
from gitops_e2e.kube import Kube, Manifest, NotOurs, Ref
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node


@pytest.fixture
def plane(own_control_plane: ControlPlane) -> ControlPlane:
    own_control_plane.run_controller(
        "kube-controller-manager",
        "--controllers=garbage-collector-controller,namespace-controller",
        "--leader-elect=false",
        "--secure-port=0",
    )
    return own_control_plane


def test_what_is_made_is_labelled_and_what_was_there_is_not_touched(plane: ControlPlane) -> None:
    theirs, ours = plane.kube(), _ours(plane)
    theirs.create(_namespace("shared"))
    there = theirs.create(_config_map("shared", "theirs", colour="red"))

    assert ours.apply(_namespace("shared"))["metadata"].get("labels", {}).get(RUN) is None
    with pytest.raises(NotOurs, match=r"cannot apply ConfigMap theirs in namespace shared: somebody else made it"):
        ours.apply(_config_map("shared", "theirs", colour="blue"))
    ours.apply(_config_map("shared", "ours"))
    ours.apply(_config_map("shared", "ours", colour="blue"))

    assert theirs.get(Ref.of(there)) == there
    mine = theirs.get(Ref.of(_config_map("shared", "ours")))
    assert (mine["data"], mine["metadata"]["labels"]) == ({"colour": "blue"}, {RUN: "run"})


def test_uninstalling_takes_what_is_ours_and_nothing_else(plane: ControlPlane) -> None:
    theirs, ours = plane.kube(), _ours(plane)
    theirs.create(_namespace("shared"))
    theirs.create(_config_map("shared", "theirs"))
    before = _everything(theirs)
    for manifest in (
        _namespace("ours"),
        _config_map("ours", "inside"),
        _config_map("shared", "ours"),
        _definition(),
        _webhooks(),
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "ours"}},
    ):
        ours.apply(manifest)

    removed = uninstall(Kube(plane.kubeconfig, labels={RUN: "another"}))

    assert {ref.name for ref in removed} == {"ours", "inside", "toys.example.org", "asked"}
    after = _everything(theirs)
    assert before.keys() <= after.keys()
    assert [name for name, labels in after.items() if RUN in labels] == []
    assert uninstall(theirs) == []


def _ours(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig, labels={RUN: "run"})


def _everything(kube: Kube) -> dict[str, dict[str, str]]:
    """All objects, each with its labels, but those that the API server makes and takes away by itself at any time."""
    transient = {"Event", "APIService", "Lease", "FlowSchema", "PriorityLevelConfiguration", "Endpoints"}
    return {
        str(Ref.of(each)): each["metadata"].get("labels", {})
        for resource in kube.deletable()
        if resource.kind not in transient
        for each in kube.list(resource)
    }


def _namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _config_map(namespace: str, name: str, **data: str) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _definition() -> Manifest:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": "Toy", "plural": "toys"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _webhooks() -> Manifest:
    """Webhooks that nobody answers: whatever they are asked about is refused."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "asked"},
        "webhooks": [
            {
                "name": "asked.example.org",
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["*"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ours"}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }
