"""Watches of a harness that nobody gets, as its start or its attaching fails."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gitops_e2e import harness
from gitops_e2e.clusters import providers
from gitops_e2e.clusters.providers import Provider
from gitops_e2e.errors import HarnessError
from gitops_e2e.harness import Harness
from gitops_e2e.supply import Supply
from gitops_e2e.watching import Budgets


class Broken:
    """A cluster, a stack of which nothing goes well, and watches; `done` is what was done to them in the end."""

    labels = ()
    name = "one"

    def __init__(self) -> None:
        self.done: list[str] = []

    def install(self) -> None:
        raise HarnessError("no stack")

    confirm = install

    def close(self) -> None:
        self.done.append("watches ended")

    def delete(self) -> None:
        self.done.append("cluster deleted")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    broken = Broken()
    parts = cast(Any, [broken, None, broken, broken, *[None] * 5])
    monkeypatch.setattr(harness, "_on", lambda *_: Harness(*parts))
    monkeypatch.setattr(providers, "attach", lambda *_: SimpleNamespace(provider="node"))
    return broken


def test_they_end_with_a_start_that_fails_before_the_cluster_does(broken: Broken) -> None:
    provider = cast(Provider, SimpleNamespace(name="node", start=lambda *_: broken))

    with pytest.raises(HarnessError, match="no stack"):
        Harness.start(provider, "one", Budgets(), Supply())

    assert broken.done == ["watches ended", "cluster deleted"]


@pytest.mark.parametrize("attach", [Harness.attach, Harness.reuse])
def test_they_end_where_a_cluster_has_another_stack(
    attach: Callable[[str, Budgets, Supply], Harness], broken: Broken
) -> None:
    with pytest.raises(HarnessError, match="no stack"):
        attach("one", Budgets(), Supply())

    assert broken.done == ["watches ended"]
