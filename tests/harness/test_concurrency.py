"""Tests of one group stay together under pytest-xdist: a cluster has one demo pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SUITE = """
import os, pytest
from pathlib import Path

@pytest.mark.parametrize("number", range(4))
@pytest.mark.xdist_group("demo")
def test_together(number):
    Path(f"{number}.worker").write_text(os.environ["PYTEST_XDIST_WORKER"])

def test_another():
    pass
"""


def test_a_group_has_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(_SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist=loadgroup", "-c", "/dev/null", "--rootdir=."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout
    workers = [file.read_text() for file in tmp_path.glob("*.worker")]
    assert len(workers) == 4
    assert len(set(workers)) == 1, workers
