"""Proxies in front of a component's Services, and where these lead, on a real API server."""

from __future__ import annotations

from typing import ClassVar

import pytest

from gitops_e2e.components.component import Component
from gitops_e2e.disturbing.delaying import proxies
from gitops_e2e.disturbing.leading import ELSEWHERE, lead_away, lead_back
from gitops_e2e.kube import Kube, Manifest, NoRunningPod, Ref
from tests.control_plane import ControlPlane

pytestmark = pytest.mark.node

_SERVICE = Ref("v1", "Service", "shop", "default")


class Shop(Component):
    name: ClassVar[str] = "shop"
    namespace: ClassVar[str] = "default"

    def manifests(self) -> list[Manifest]:
        return [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "shop", "namespace": "default"},
                "spec": {
                    "selector": {"app": "shop", "tier": "front"},
                    "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "https", "port": 443}],
                },
            }
        ]


@pytest.fixture
def kube(own_control_plane: ControlPlane) -> Kube:
    kube = own_control_plane.kube()
    for manifest in Shop().manifests():
        kube.create(manifest)
    return kube


def selector(kube: Kube) -> dict[str, str]:
    found: dict[str, str] = kube.get(_SERVICE)["spec"]["selector"]
    return found


def test_a_service_leads_elsewhere_and_back(kube: Kube) -> None:
    lead_away(kube, Shop())
    assert selector(kube) == {ELSEWHERE: "shop"}

    lead_back(kube, Shop())
    lead_back(kube, Shop())
    assert selector(kube) == {"app": "shop", "tier": "front"}


def test_a_proxy_is_where_the_service_leads_and_leads_to_the_pod(kube: Kube) -> None:
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "shop-1", "namespace": "default", "labels": {"app": "shop", "tier": "front"}},
            "spec": {"containers": [{"name": "shop", "image": "shop"}]},
        }
    )
    status = {"status": {"phase": "Running", "podIP": "10.9.8.7", "podIPs": [{"ip": "10.9.8.7"}]}}
    kube.patch(Ref("v1", "Pod", "shop-1", "default"), status, subresource="status")

    (proxy,) = proxies(kube, Shop(), image="haproxy", seconds=3)
    kube.create(proxy)

    assert proxy["metadata"]["labels"] == {ELSEWHERE: "shop"}
    settings = proxy["spec"]["containers"][0]["env"][0]["value"]
    for port in (8080, 443):
        assert f"bind :{port}\n  tcp-request inspect-delay 3s\n" in settings
        assert f"server component 10.9.8.7:{port}\n" in settings


def test_there_is_no_proxy_in_front_of_nothing(kube: Kube) -> None:
    with pytest.raises(NoRunningPod, match="Service shop in namespace default has no running pod"):
        list(proxies(kube, Shop(), image="haproxy", seconds=3))
