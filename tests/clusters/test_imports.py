from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gitops_e2e.commands import run


@pytest.mark.parametrize("module", ["init", "supervisor"])
def test_what_watches_over_a_node_needs_no_packages(module: str) -> None:
    """They are started with `python -S`: whatever they import imports nothing from outside the standard library."""
    code = f"import gitops_e2e.clusters.node.{module}"
    run([sys.executable, "-S", "-c", code], cwd=Path(__file__).parents[2], timeout=30)
