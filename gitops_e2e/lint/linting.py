"""All subjects in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.lint import analysis, features, kargo, manifests, options, promotions, services, stages
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.renders import Renders
from gitops_e2e.lint.schemas import Schemas
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.toolchain import Toolchain

_FOLDERS = ("features", "steps", "manifests", "kargo")


class NoCheckout(HarnessError):
    """A folder does not hold what there is to lint."""


@dataclass(frozen=True)
class Tools:
    """What manifests and Kargo resources are held against; `kustomize` and `expr` are commands."""

    kustomize: Path
    expr: Path
    schemas: Schemas

    @staticmethod
    def of(toolchain: Toolchain) -> Tools:
        """Those of a toolchain, built first where they are missing. Raises CommandFailed."""
        schemas = Schemas(toolchain.cache, toolchain)
        return Tools(toolchain.command("kustomize"), toolchain.command("expr"), schemas)


def lint(root: Path, toolchain: Toolchain) -> list[Finding]:
    """All findings in a checkout, each once, by their places.

    Raises NoCheckout, and CommandFailed where what it reads cannot be fetched or built.
    """
    if missing := [name for name in _FOLDERS if not (root / name).is_dir()]:
        raise NoCheckout(
            f"there is no folder {' or '.join(missing)} here", where=str(root), remedy="run it in the project's root"
        )
    return sorted({*options.check(root), *features.check(root), *objects(root, Tools.of(toolchain))})


def objects(root: Path, tools: Tools) -> Iterator[Finding]:
    """What is wrong with manifests and Kargo resources: with each by itself, and else with what they say together."""
    checkout = Checkout.read(root)
    renders = Renders.of(checkout, tools.kustomize)
    invalid = checkout.findings or [
        *renders.findings,
        *manifests.check(checkout, renders, tools.schemas),
    ]
    yield from invalid
    if invalid:
        return
    evaluator = Evaluator(tools.expr)
    try:
        wrong_steps = list(kargo.check(checkout, evaluator))
        yield from wrong_steps
        yield from analysis.check(checkout, renders, evaluator)
        yield from stages.check(checkout, renders)
        yield from services.check(checkout, renders)
        if not wrong_steps:
            yield from promotions.check(checkout, renders, evaluator)
    finally:
        evaluator.close()
