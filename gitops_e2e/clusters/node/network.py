"""A node's network: two addresses of its own, and no way for a packet to leave the machine.

Every node has one /30 of 10.231.0.0/16 (16 383 of them): the first address is the machine's end of a veth pair,
the second the node's. Two rules keep packets in:

- On the machine, an `unreachable` route for the /30 is there before the veth pair and stays after it. Its metric
  is worse than that of the connected route, which exists only while the pair is up; without either, a packet to
  the node's address would take the default route.
- In the node there is no default route: packets to anything but the machine, pods and services are unreachable.
  Pods cannot open connections to the machine either, as its answers to a pod's address would take its default route.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from gitops_e2e.clusters.node.errors import NodeUnavailable
from gitops_e2e.commands import CommandFailed, run

RANGE = IPv4Network("10.231.0.0/16")
PODS = IPv4Network("10.244.0.0/16")
SERVICES = IPv4Network("10.96.0.0/16")
API_SERVICE = str(SERVICES[1])
DNS_SERVICE = str(SERVICES[10])

_PREFIX = 30
_WORST_METRIC = 4_000_000
_BOUND = 10.0
_PODS_STAY_INSIDE = """\
table ip gitops-e2e {
    chain forward {
        type filter hook forward priority filter
        oifname "eth0" ct state established,related accept
        oifname "eth0" reject with icmp net-unreachable
    }
}
"""


@dataclass(frozen=True)
class Subnet:
    """One node's /30, by its number in the range (number 0 is left out: its addresses look like networks)."""

    number: int

    @property
    def network(self) -> IPv4Network:
        """The /30."""
        first = int(RANGE.network_address) + self.number * 4
        return IPv4Network((first, _PREFIX))

    @property
    def machine(self) -> IPv4Address:
        """The address of the machine's end."""
        return self.network[1]

    @property
    def node(self) -> IPv4Address:
        """The address of the node."""
        return self.network[2]

    @property
    def link(self) -> str:
        """The interface of the machine's end (names have 15 characters at most)."""
        return f"gitops{self.number}"


def free_subnets(taken: Iterable[IPv4Network]) -> Iterable[Subnet]:
    """The subnets that no network of the machine lies in, lowest first. A wider network is none: ours is nearer."""
    inside = [network for network in taken if network.prefixlen > RANGE.prefixlen and network.overlaps(RANGE)]
    for number in range(1, RANGE.num_addresses // 4):
        subnet = Subnet(number)
        if not any(network.overlaps(subnet.network) for network in inside):
            yield subnet


def choose() -> Subnet:
    """The first free subnet, still to be reserved. To be called under the lock of the nodes."""
    for subnet in free_subnets(_routes()):
        return subnet
    raise NodeUnavailable(
        f"every subnet of {RANGE} is in use on this machine", remedy="run `.venv/bin/python -m gitops_e2e.clean`"
    )


def reserve(subnet: Subnet) -> None:
    """Put the `unreachable` route in place; the kernel refuses a second one."""
    run(["ip", "route", "add", *_unreachable(subnet)], timeout=_BOUND)


def connect(subnet: Subnet, init: int) -> None:
    """Join the machine and the network namespace of process `init` by a veth pair; the node's end is `eth0`."""
    _ip(
        f"link add {subnet.link} type veth peer name eth0 netns {init}",
        f"addr add {subnet.machine}/{_PREFIX} dev {subnet.link}",
        f"link set {subnet.link} up",
    )


def configure_inside(subnet: Subnet) -> None:
    """Bring up the interfaces of the node, from within.

    Programs on the node itself reach a service only if its address has a route: kube-proxy rewrites the
    destination after the route was looked up. The loopback serves, as no such packet stays on it.
    """
    _ip(
        "link set lo up",
        f"addr add {subnet.node}/{_PREFIX} dev eth0",
        "link set eth0 up",
        f"route add {SERVICES} dev lo src {subnet.node}",
    )
    run(["nft", "--file", "-"], stdin=_PODS_STAY_INSIDE, timeout=_BOUND)


def disconnect(subnet: Subnet) -> None:
    """Remove the veth pair, where there is one: with its namespace it goes too, but some milliseconds late."""
    try:
        if _linked(subnet):
            run(["ip", "link", "delete", subnet.link], timeout=_BOUND)
    except CommandFailed:
        if _linked(subnet):  # else the kernel was faster
            raise


def release(subnet: Subnet) -> None:
    """Remove the `unreachable` route, where there is one. Nothing may use the node's address any more."""
    if subnet.network in _routes():
        run(["ip", "route", "delete", *_unreachable(subnet)], timeout=_BOUND)


def _unreachable(subnet: Subnet) -> tuple[str, ...]:
    return ("unreachable", str(subnet.network), "metric", str(_WORST_METRIC))


def _linked(subnet: Subnet) -> bool:
    return subnet.link in {str(link["ifname"]) for link in _json("link", "show")}


def _ip(*lines: str) -> None:
    run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n", timeout=_BOUND)


def _routes() -> list[IPv4Network]:
    """Where the machine's IPv4 routes lead to, the default route left out."""
    destinations = [str(route["dst"]) for route in _json("-4", "route", "show")]
    return [ipaddress.IPv4Network(to, strict=False) for to in destinations if to != "default"]


def _json(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-json", *words], timeout=_BOUND).stdout or "[]")
    return found
