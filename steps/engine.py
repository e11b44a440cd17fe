"""Steps about Kargo as a program, which can be killed."""

from __future__ import annotations

from pytest_bdd import when

from gitops_e2e.components.component import KARGO
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.gate import Gate


@when("Kargo is killed, and comes back")
def _(harness: Harness, gate: Gate) -> None:
    gate.open()
    harness.stack.kill(harness.stack.component(KARGO))
