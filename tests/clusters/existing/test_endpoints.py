"""Which pods a NodePort leads to."""

from __future__ import annotations

from typing import Any

from gitops_e2e.clusters.existing.endpoints import Target, targets
from gitops_e2e.kube import Manifest

_HTTP = {"name": "http", "port": 80, "targetPort": "web", "nodePort": 31000, "protocol": "TCP"}


def service(*ports: Manifest, name: str = "web", namespace: str = "shop") -> Manifest:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"ports": list(ports)}}


def endpoint(pod: str, *, kind: str = "Pod", **conditions: bool | None) -> Manifest:
    return {"addresses": ["10.0.0.1"], "conditions": conditions, "targetRef": {"kind": kind, "name": pod}}


def slice_of(*endpoints: Manifest, service: str = "web", namespace: str = "shop", **ports: int | None) -> Manifest:
    metadata = {"name": f"{service}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": service}}
    told: list[dict[str, Any]] = [{"name": name, "port": port} for name, port in (ports or {"http": 8080}).items()]
    return {"metadata": metadata, "endpoints": list(endpoints), "ports": told}


def test_the_ready_pods_at_the_port_that_each_has() -> None:
    slices = [
        slice_of(endpoint("one", ready=True), endpoint("two", ready=False), endpoint("three", ready=None)),
        slice_of(endpoint("four", ready=True), http=9090),
    ]

    assert targets([service(_HTTP)], slices) == {
        31000: (Target("shop", "one", 8080), Target("shop", "three", 8080), Target("shop", "four", 9090))
    }


def test_ports_are_told_apart_by_their_names() -> None:
    metrics = {"name": "metrics", "port": 90, "nodePort": 31001}

    assert targets([service(_HTTP, metrics)], [slice_of(endpoint("one"), http=8080, metrics=9090)]) == {
        31000: (Target("shop", "one", 8080),),
        31001: (Target("shop", "one", 9090),),
    }


def test_the_only_port_may_have_no_name() -> None:
    unnamed = {"port": 80, "nodePort": 31000}
    nameless = slice_of(endpoint("one"))
    nameless["ports"] = [{"port": 8080}]
    empty = slice_of(endpoint("two"))
    empty["ports"] = [{"name": "", "port": 8080}]

    assert targets([service(unnamed)], [nameless, empty]) == {
        31000: (Target("shop", "one", 8080), Target("shop", "two", 8080))
    }


def test_a_service_without_ready_pods_leads_nowhere() -> None:
    gone = slice_of()
    gone["endpoints"] = None

    assert targets([service(_HTTP)], []) == {31000: ()}
    assert targets([service(_HTTP)], [gone]) == {31000: ()}
    assert targets([service(_HTTP)], [slice_of(endpoint("one"), http=None)]) == {31000: ()}


def test_slices_of_another_service_or_namespace_are_not_its() -> None:
    slices = [slice_of(endpoint("one"), service="other"), slice_of(endpoint("two"), namespace="other")]

    assert targets([service(_HTTP)], slices) == {31000: ()}


def test_what_is_no_pod_cannot_be_forwarded_to() -> None:
    nameless = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}

    assert targets([service(_HTTP)], [slice_of(endpoint("node", kind="Node"), nameless)]) == {31000: ()}


def test_a_pod_with_addresses_of_two_families_is_one() -> None:
    assert targets([service(_HTTP)], [slice_of(endpoint("one")), slice_of(endpoint("one"))]) == {
        31000: (Target("shop", "one", 8080),)
    }


def test_only_tcp_ports_of_nodes_count() -> None:
    udp = {**_HTTP, "protocol": "UDP"}
    inside = {"name": "http", "port": 80}

    assert targets([service(udp, inside), {**service(), "spec": {}}], [slice_of(endpoint("one"))]) == {}
