from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.component import Component
from gitops_e2e.components.kargo import KargoChoice
from gitops_e2e.components.sources import Sources
from gitops_e2e.components.stack import Stack, components
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.toolchain import Toolchain
from gitops_e2e.watching import Budgets
from gitops_e2e.watching.cache import WatchCache


@dataclass
class Part(Component):
    """A component without workloads, which notes that it was installed."""

    name: str  # type: ignore[misc]
    needs: tuple[str, ...] = ()  # type: ignore[misc]
    failure: str | None = None
    done: list[str] = field(default_factory=list)
    after: threading.Event | None = None
    namespace: ClassVar[str] = "parts"

    def manifests(self) -> list[Manifest]:
        return []

    def install(self, kube: Kube, *, within: float) -> None:  # noqa: ARG002
        if self.after:
            assert self.after.wait(10)
        if self.failure:
            raise HarnessError(self.failure)
        self.done.append(self.name)


def stack_of(kube: Kube, *parts: Part, budgets: Budgets | None = None) -> Stack:
    return Stack(kube, WatchCache(kube, {}), parts, budgets or Budgets())


@pytest.fixture
def kube(tmp_path_factory: pytest.TempPathFactory) -> Kube:
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {token: t}}]\n"
    )
    return Kube(kubeconfig)


def test_a_component_is_installed_after_what_it_needs(kube: Kube) -> None:
    done: list[str] = []
    slow = threading.Event()
    base = Part("base", done=done, after=slow)
    threading.Timer(0.05, slow.set).start()
    stack_of(kube, Part("on top", needs=("base",), done=done), base).install()
    assert done == ["base", "on top"]


def test_what_a_component_needs_may_take_longer_than_one_budget(kube: Kube) -> None:
    done: list[str] = []
    slow = threading.Event()
    base = Part("base", done=done, after=slow)
    threading.Timer(0.5, slow.set).start()
    stack_of(kube, Part("on top", needs=("base",), done=done), base, budgets=Budgets(component_ready=0.05)).install()
    assert done == ["base", "on top"]


def test_components_are_installed_side_by_side(kube: Kube) -> None:
    done: list[str] = []
    freed = threading.Event()

    @dataclass
    class Freeing(Part):
        def install(self, kube: Kube, *, within: float) -> None:
            super().install(kube, within=within)
            freed.set()

    stack_of(kube, Part("waits for its neighbour", done=done, after=freed), Freeing("neighbour", done=done)).install()
    assert done == ["neighbour", "waits for its neighbour"]


def test_a_failure_ends_the_installation_with_its_own_words(kube: Kube) -> None:
    done: list[str] = []
    broken = Part("base", failure="the base cannot be installed")
    above = Part("on top", needs=("base",), done=done), Part("above", needs=("on top",), done=done)
    with pytest.raises(HarnessError, match="the base cannot be installed"):
        stack_of(kube, broken, *above).install()
    assert done == []


def test_an_unknown_component_is_refused_with_the_known_ones(kube: Kube) -> None:
    with pytest.raises(HarnessError, match="no component Argo") as refusal:
        stack_of(kube, Part("Argo CD")).component("Argo")
    assert refusal.value.remedy == "use one of: Argo CD"


def test_every_component_has_what_it_needs_in_the_stack() -> None:
    cache = Cache.of_user()
    toolchain = Toolchain(cache)
    parts = components(Sources(cache, toolchain), Images(cache, toolchain), Authority.create(), KargoChoice())
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)
    assert all(need in names for part in parts for need in part.needs)
