"""The pace at which registries are asked, by a clock that only moves when somebody waits."""

from __future__ import annotations

import pytest

from gitops_e2e.promoter.warehouses.registries import Paces, Repository
from gitops_e2e.promoter.warehouses.registries import pace as pace_module


class Clock:
    def __init__(self) -> None:
        self.now = 1024.0
        self.waited: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if seconds > 1e-6:  # less is how numbers are rounded
            self.waited.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace_module, "time", clock)
    return clock


@pytest.mark.parametrize(("url", "pause"), [("nginx", 0.1), ("bitnami/redis", 0.1), ("ghcr.io/a/b", 0.05)])
def test_requests_beyond_the_slack_wait_for_their_turn(clock: Clock, url: str, pause: float) -> None:
    paces = Paces()
    for _ in range(11):
        paces.of(Repository.parse(url)).wait()
    assert clock.waited == []
    for _ in range(3):
        paces.of(Repository.parse(url)).wait()
    assert clock.waited == [pause] * 3
    clock.now += 60
    for _ in range(11):
        paces.of(Repository.parse(url)).wait()
    assert len(clock.waited) == 3


def test_each_registry_has_its_own_pace(clock: Clock) -> None:
    paces = Paces()
    for host in ("one.example", "two.example"):
        for path in ("a", "b"):
            for _ in range(5):
                paces.of(Repository.parse(f"{host}/{path}")).wait()
    assert clock.waited == []
