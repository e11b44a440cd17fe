"""The manifests as kustomize renders them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.toolchain import Toolchain


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    """What evaluates conditions as Argo Rollouts does."""
    evaluator = Evaluator(Toolchain(Cache.of_user()).command("expr"))
    yield evaluator
    evaluator.close()


@pytest.fixture(scope="session")
def rendered() -> Callable[[str], list[Manifest]]:
    """The objects of a stage."""
    kustomize = Toolchain(Cache.of_user()).command("kustomize")

    @cache
    def render(stage: str) -> list[Manifest]:
        argv: list[str | Path] = [kustomize, "build", MANIFESTS / "stages" / stage]
        return [manifest for manifest in yaml.safe_load_all(run(argv, timeout=30).stdout) if manifest]

    return render
