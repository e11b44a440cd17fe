"""The versions of everything that a run stands on."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from gitops_e2e.errors import HarnessError

if TYPE_CHECKING:
    from gitops_e2e.harness import Harness

_PACKAGES = ("gitops-e2e", "pytest", "pytest-bdd", "kubernetes")


def versions(harness: Harness) -> dict[str, str]:
    """What runs, by what it is; what cannot be asked says why."""
    return dict(_all(harness))


def _all(harness: Harness) -> Iterator[tuple[str, str]]:
    yield "cluster", f"{harness.cluster.name} ({harness.cluster.provider})"
    yield "Kubernetes", _asked(harness.kubernetes_version)
    for component in harness.stack.components:
        yield component.name, _asked(partial(component.version, harness.kube))
    yield "Python", platform.python_version()
    for package in _PACKAGES:
        yield package, version(package)
    yield "machine", platform.platform()


def _asked(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except HarnessError as error:
        return f"unknown: {error}"
