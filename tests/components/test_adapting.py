from __future__ import annotations

import pytest

from gitops_e2e.components.adapting import adapted, containers, with_arguments, with_environment
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest

IMAGES = {"quay.io/team/server": "gitops-e2e.local/server:v1", "registry:5000/team/cache": "gitops-e2e.local/cache:7"}


def deployment(*images: str) -> Manifest:
    probe = {"httpGet": {"path": "/healthz"}, "initialDelaySeconds": 30, "periodSeconds": 20}
    pods = [{"name": f"c{n}", "image": image, "readinessProbe": dict(probe)} for n, image in enumerate(images)]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server"},
        "spec": {"template": {"spec": {"containers": pods}}},
    }


def test_images_are_replaced_whatever_tag_they_have() -> None:
    published = deployment("quay.io/team/server:latest", "quay.io/team/server", "registry:5000/team/cache:6.2")
    [changed] = adapted([published], namespace="here", images=IMAGES)
    assert [container["image"] for container in containers(changed)] == [
        "gitops-e2e.local/server:v1",
        "gitops-e2e.local/server:v1",
        "gitops-e2e.local/cache:7",
    ]


def test_nothing_is_pulled_and_probes_are_asked_every_second() -> None:
    [changed] = adapted([deployment("quay.io/team/server:v1")], namespace="here", images=IMAGES)
    [container] = containers(changed)
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert (container["readinessProbe"]["initialDelaySeconds"], container["readinessProbe"]["periodSeconds"]) == (0, 1)


def test_the_manifest_that_was_given_stays_as_it_is() -> None:
    published = deployment("quay.io/team/server:v1")
    adapted([published], namespace="here", images=IMAGES)
    assert published == deployment("quay.io/team/server:v1")


def test_an_image_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(HarnessError, match=r"docker\.io/other") as refusal:
        adapted([deployment("docker.io/other:1")], namespace="here", images=IMAGES)
    assert refusal.value.where == "Deployment server"


def test_a_cluster_that_pulls_has_other_images_as_they_are_published() -> None:
    published = deployment("quay.io/team/server:v1@sha256:0", "docker.io/other:1@sha256:0")
    [changed] = adapted([published], namespace="here", images=IMAGES, pulls=True)
    assert [container["image"] for container in containers(changed)] == [
        "gitops-e2e.local/server:v1",
        "docker.io/other:1@sha256:0",
    ]


@pytest.mark.parametrize(("kind", "namespace"), [("ConfigMap", "here"), ("ClusterRole", None), ("ClusterIssuer", None)])
def test_namespaces_are_given_to_what_has_one(kind: str, namespace: str | None) -> None:
    [changed] = adapted([{"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}], namespace="here", images={})
    assert changed["metadata"].get("namespace") == namespace


def test_a_namespace_that_is_named_is_kept() -> None:
    role = {"apiVersion": "v1", "kind": "Role", "metadata": {"name": "x", "namespace": "kube-system"}}
    [changed] = adapted([role], namespace="here", images={})
    assert changed["metadata"]["namespace"] == "kube-system"


def test_environment_goes_to_one_workload_only() -> None:
    other = {**deployment("b"), "metadata": {"name": "other"}}
    first, second = with_environment([deployment("a"), other], "server", {"SETTING": "on"})
    assert [container.get("env") for container in containers(first)] == [[{"name": "SETTING", "value": "on"}]]
    assert [container.get("env") for container in containers(second)] == [None]


def test_arguments_are_added_to_those_of_one_workload() -> None:
    given = deployment("a")
    [first] = with_arguments([given], "server", ["--one"])
    [second] = with_arguments([first], "server", ["--two"])
    assert [container["args"] for container in containers(second)] == [["--one", "--two"]]
    assert given == deployment("a")
