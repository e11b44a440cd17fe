"""Subnets and the routes that keep packets on the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import islice

import pytest

from gitops_e2e.clusters.node import network
from gitops_e2e.clusters.node.network import Subnet, free_subnets
from gitops_e2e.commands import CommandFailed, run

_FAR_END_OF_THE_RANGE = Subnet(16_380)


def test_a_subnet_is_a_private_30_with_two_addresses() -> None:
    subnet = Subnet(1)

    assert str(subnet.network) == "10.231.0.4/30"
    assert (str(subnet.machine), str(subnet.node)) == ("10.231.0.5", "10.231.0.6")
    assert subnet.network.is_private


def test_subnets_do_not_overlap_and_stay_in_the_range() -> None:
    subnets = list(free_subnets([]))

    assert len({subnet.network for subnet in subnets}) == len(subnets) == 16_383
    assert all(subnet.network.subnet_of(network.RANGE) for subnet in subnets)
    assert all(len(subnet.link) <= 15 for subnet in subnets)


@pytest.mark.parametrize(
    ("taken", "first"),
    [
        ([], 1),
        (["192.168.1.0/24"], 1),
        (["10.231.0.4/30"], 2),
        (["10.231.0.6/32", "10.231.0.8/30"], 3),
        (["10.231.0.0/24"], 64),
        (["10.0.0.0/8"], 1),
    ],
)
def test_a_subnet_is_free_where_no_nearer_route_leads(taken: list[str], first: int) -> None:
    found = list(islice(free_subnets(map(IPv4Network, taken)), 2))

    assert found[0] == Subnet(first)
    assert found[1].number > first


def _route_to(address: object) -> str:
    try:
        return run(["ip", "route", "get", str(address)], timeout=5).stdout
    except CommandFailed as refused:
        return refused.output


@pytest.fixture
def other_namespace() -> Iterator[int]:
    """A process in a network namespace of its own."""
    process = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.readline()
    yield process.pid
    process.communicate(timeout=5)


@pytest.mark.node
def test_at_no_time_does_the_default_route_lead_to_a_node(other_namespace: int) -> None:
    subnet = _FAR_END_OF_THE_RANGE
    network.reserve(subnet)
    try:
        before = _route_to(subnet.node)
        network.connect(subnet, other_namespace)
        during = _route_to(subnet.node)
        run(["ip", "link", "set", subnet.link, "down"], timeout=5)
        broken = _route_to(subnet.node)
        network.disconnect(subnet)
        after = _route_to(subnet.node)
    finally:
        network.disconnect(subnet)
        network.release(subnet)

    assert "No route to host" in before
    assert f"dev {subnet.link}" in during
    assert "No route to host" in broken
    assert "No route to host" in after


@pytest.mark.node
def test_a_subnet_cannot_be_reserved_twice() -> None:
    subnet = _FAR_END_OF_THE_RANGE
    network.reserve(subnet)
    try:
        with pytest.raises(CommandFailed, match="File exists"):
            network.reserve(subnet)
        assert network.choose() != subnet
    finally:
        network.release(subnet)
    network.release(subnet)  # again is fine
