"""What the wrapper asks runc for: all that it was asked for, less what the machine does not have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.clusters.kind import runc

LACKING = "CAP_SYS_RESOURCE"
CAPABILITIES = {"bounding": ["CAP_SYS_ADMIN", LACKING], "effective": [LACKING], "ambient": []}
LESS = {"bounding": ["CAP_SYS_ADMIN"], "effective": [], "ambient": []}


@pytest.fixture
def real_runc(tmp_path: Path) -> Path:
    """A command in runc's place: it prints its arguments."""
    script = tmp_path / "runc"
    script.write_text('#!/bin/sh\necho "$@"\n')
    script.chmod(0o755)
    return script


def wrapped(real: Path, *arguments: str | Path, cwd: Path) -> str:
    argv = [sys.executable, "-S", runc.__file__, real, *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=True, timeout=30).stdout


def written(file: Path, document: dict[str, Any]) -> Path:
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize("spelling", ["--bundle {}", "--bundle={}", "-b {}"])
def test_a_new_container(tmp_path: Path, real_runc: Path, verb: str, spelling: str) -> None:
    file = written(tmp_path / "config.json", {"process": {"capabilities": CAPABILITIES, "args": ["init"]}})

    said = wrapped(real_runc, "--log", "x", verb, *spelling.format(tmp_path).split(), "id", cwd=Path("/"))

    assert json.loads(file.read_text()) == {"process": {"capabilities": LESS, "args": ["init"]}}
    assert said == f"--log x {verb} {spelling.format(tmp_path)} id\n"


def test_a_new_container_whose_bundle_is_the_current_folder(tmp_path: Path, real_runc: Path) -> None:
    file = written(tmp_path / "config.json", {"process": {"capabilities": CAPABILITIES}})

    wrapped(real_runc, "create", "id", cwd=tmp_path)

    assert json.loads(file.read_text())["process"]["capabilities"] == LESS


def test_a_command_in_a_running_container(tmp_path: Path, real_runc: Path) -> None:
    file = written(tmp_path / "process.json", {"args": ["sh"], "capabilities": CAPABILITIES})

    wrapped(real_runc, "exec", "--process", file, "id", cwd=Path("/"))

    assert json.loads(file.read_text()) == {"args": ["sh"], "capabilities": LESS}


def test_what_names_no_capabilities_goes_through_as_it_is(tmp_path: Path, real_runc: Path) -> None:
    assert wrapped(real_runc, "kill", "id", "KILL", cwd=tmp_path) == "kill id KILL\n"
    assert list(tmp_path.iterdir()) == [real_runc]
