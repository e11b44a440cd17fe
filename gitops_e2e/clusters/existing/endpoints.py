"""Which pods a NodePort leads to: what kube-proxy makes of Services and their EndpointSlices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest, Resource

SERVICES = Resource("v1", "Service", "services", namespaced=True)
SLICES = Resource("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", namespaced=True)

_SERVICE_NAME = "kubernetes.io/service-name"
_TCP = "TCP"


@dataclass(frozen=True)
class Target:
    """A port of a pod."""

    namespace: str
    pod: str
    port: int


def targets(services: Iterable[Manifest], slices: Iterable[Manifest]) -> Mapping[int, Sequence[Target]]:
    """The ready pods behind each TCP NodePort, none where there is none. What is behind it and no pod is left out."""
    of_service: dict[tuple[str, str], list[Manifest]] = {}
    for each in slices:
        name = (each["metadata"].get("labels") or {}).get(_SERVICE_NAME, "")
        of_service.setdefault((each["metadata"]["namespace"], name), []).append(each)
    found: dict[int, Sequence[Target]] = {}
    for service in services:
        behind = of_service.get((service["metadata"]["namespace"], service["metadata"]["name"]), [])
        for port in _forwardable(service):
            found[int(port["nodePort"])] = tuple(dict.fromkeys(_ready(behind, _name(port))))
    return found


def _forwardable(service: Manifest) -> Iterator[Manifest]:
    for port in service["spec"].get("ports") or []:
        if port.get("nodePort") and port.get("protocol", _TCP) == _TCP:
            yield port


def _ready(slices: Iterable[Manifest], name: str) -> Iterator[Target]:
    """The ready pods at the port of that name. Where a Service has two families of addresses, a pod comes twice."""
    for each in slices:
        numbers = [int(port["port"]) for port in each.get("ports") or [] if _name(port) == name and port.get("port")]
        for endpoint in each.get("endpoints") or []:
            reference = endpoint.get("targetRef") or {}
            if reference.get("kind") == "Pod" and _is_ready(endpoint):
                yield from (Target(each["metadata"]["namespace"], reference["name"], number) for number in numbers)


def _name(port: Manifest) -> str:
    """A Service's only port may have none."""
    return str(port.get("name") or "")


def _is_ready(endpoint: Manifest) -> bool:
    """Nothing said means ready, as the API has it."""
    return (endpoint.get("conditions") or {}).get("ready") is not False
