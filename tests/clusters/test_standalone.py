"""What runs with Python's own modules alone, to start at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.harness.running import REPOSITORY


@pytest.mark.parametrize("module", ["supervisor", "init"])
def test_what_holds_a_node_needs_no_package(module: str) -> None:
    command = [sys.executable, "-S", "-c", f"import gitops_e2e.clusters.node.{module}"]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60)
