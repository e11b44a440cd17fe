"""Ctrl-C at any point: the run ends at once and leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e.clusters.node.state import NodeState, Registry
from tests.clusters.kit import eventually, traces
from tests.harness.running import Run, running

pytestmark = pytest.mark.node

_NAME = f"interrupted-{os.getpid()}"
_ONE = ("-k", "three_stages", "--cluster-name", _NAME)


def _interrupt(run: Run) -> None:
    run.interrupt()
    code = run.end()
    assert code == pytest.ExitCode.INTERRUPTED, run.text
    assert "KeyboardInterrupt" in run.text
    assert "Traceback" not in run.text
    assert "INTERNALERROR" not in run.text


def _state() -> NodeState:
    return Registry().get(_NAME)


def test_while_it_builds(tmp_path: Path) -> None:
    with running(*_ONE, env={"XDG_CACHE_HOME": str(tmp_path)}) as run:
        run.until("… building the Go commands")

        _interrupt(run)

    assert eventually(lambda: not _processes_with(tmp_path)), _processes_with(tmp_path)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    complete = [entry for entry in (tmp_path / "gitops-e2e").glob("*/*") if not entry.name.startswith(".partial")]
    assert [entry for entry in complete if entry.parent.name in {"binaries", "bases", "images"}] == []


@pytest.mark.parametrize("words", ["… starting cluster", "… installing Argo CD", "NodePorts at"])
def test_while_it_starts_a_cluster_installs_the_stack_and_runs_a_scenario(words: str) -> None:
    """When the words are printed, that has just begun."""
    with running(*_ONE) as run:
        run.until(words)
        assert eventually(lambda: Registry().find(_NAME) is not None)
        state = _state()

        _interrupt(run)

    assert traces(state) == []


def _processes_with(folder: Path) -> list[str]:
    return list(_commands(str(folder)))


def _commands(text: str) -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if text in command:
            yield command
