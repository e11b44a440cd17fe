"""Who holds a node: whatever ends the owner or the supervisor ends the node, and the next start finds a clean slate."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from gitops_e2e.clusters.node.errors import NodeFailed
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import RUN_FOLDER, Registry
from tests.clusters.kit import (
    Kit,
    cgroup_folders,
    eventually,
    is_gone,
    living_traces,
    random_moments,
    route_to,
    run_pod,
    state_of,
    traces,
    unique,
)

pytestmark = pytest.mark.node

_LONGEST_START = 5.0
_INTERRUPTED_CLAIM = """
import sys

def interrupt(frame, event, _):
    if event == "return" and frame.f_code.co_name == "_claim":
        sys.setprofile(None)
        raise KeyboardInterrupt

sys.setprofile(interrupt)
"""


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_owner_takes_its_node_with_it_at_any_moment(kit: Kit, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        moments = random_moments()
    name = unique("owned")
    for _ in range(int(os.environ.get("GITOPS_E2E_KILLS", "5"))):
        after = moments.uniform(0, _LONGEST_START)
        owner = kit.start_in_other_process(name)
        assert _line(owner) == "starting"
        time.sleep(after)  # the moment itself is what is tried
        state = Registry().find(name)
        _kill(owner)

        if state:
            assert eventually(partial(is_gone, state)), f"killed after {after:.2f} s: {traces(state)}"

    kit.start(name).delete()


def test_an_owner_that_ends_by_itself_waits_for_the_end_of_its_node(kit: Kit) -> None:
    name = unique("waited")
    owner = kit.start_in_other_process(name, then="raise SystemExit(3)")
    assert (_line(owner), _line(owner)) == ("starting", "ready")

    assert owner.wait(timeout=30) == 3

    assert Registry().find(name) is None, "which is what goes last of a node"


def test_an_interrupt_when_nobody_holds_the_node_yet_leaves_nothing(kit: Kit) -> None:
    name = unique("claimed")
    owner = kit.start_in_other_process(name, first=_INTERRUPTED_CLAIM)

    assert owner.wait(timeout=30) == -signal.SIGINT

    assert Registry().find(name) is None, "which is what goes last of a node"


def test_a_name_is_free_again_as_soon_as_its_owner_is_dead(kit: Kit) -> None:
    name = unique("again")
    owner = kit.start_in_other_process(name)
    assert (_line(owner), _line(owner)) == ("starting", "ready")
    _kill(owner)

    node = kit.start(name)

    node.check()
    node.delete()


def test_a_killed_supervisor_takes_the_node_with_it_and_packets_stay(kit: Kit) -> None:
    node = kit.start(unique("held"))
    run_pod(node, "pod", kit.pause)
    state = state_of(node.name)
    assert f"dev {state.subnet.link}" in route_to(node.address)
    assert state.supervisor

    state.supervisor.send(signal.SIGKILL)

    assert eventually(lambda: not living_traces(state)), living_traces(state)
    assert "No route to host" in route_to(node.address), "while its owner lives, who may still connect"
    assert node.name not in Node.sweep()
    node.delete()
    assert traces(state) == []


def test_a_killed_init_ends_everything_and_is_told(kit: Kit) -> None:
    node = kit.start(unique("headless"))
    state = state_of(node.name)
    assert state.init

    state.init.send(signal.SIGKILL)

    assert eventually(lambda: not [trace for trace in living_traces(state) if "process" in trace])
    with pytest.raises(NodeFailed, match="init does not answer"):
        node.check()
    node.delete()
    assert traces(state) == []


def test_what_a_killed_run_left_is_swept(kit: Kit) -> None:
    name = unique("orphan")
    owner = kit.start_in_other_process(name)
    assert (_line(owner), _line(owner)) == ("starting", "ready")
    state = state_of(name)
    assert state.supervisor
    state.supervisor.send(signal.SIGSTOP)  # so that it cannot tidy up before it is killed
    _kill(owner)
    state.supervisor.send(signal.SIGKILL)
    assert eventually(lambda: not living_traces(state))
    assert {"cgroup", "route", "data", "state"} == {trace.split()[0] for trace in traces(state)}

    assert name in Node.sweep()

    assert traces(state) == []


def test_a_kept_node_outlives_its_owner_until_somebody_deletes_it(kit: Kit) -> None:
    name = unique("kept")
    owner = kit.start_in_other_process(name, then="node.keep(); print('kept', flush=True)")
    assert [_line(owner) for _ in range(3)] == ["starting", "ready", "kept"]
    owner.communicate(timeout=10)
    state = state_of(name)
    assert not state.owned
    assert name not in Node.sweep()

    node = Node.attach(name)
    node.check()
    node.delete()

    assert traces(state) == []


def test_a_node_holds_no_file_that_its_owner_had_open(kit: Kit, tmp_path: Path) -> None:
    with (tmp_path / "held").open("w") as held:
        os.set_inheritable(held.fileno(), True)  # as a lock of the shell that started the owner is
        node = kit.start(unique("aloof"))
    state = state_of(node.name)
    assert state.supervisor
    assert state.init

    open_files = [path.readlink() for who in (state.supervisor, state.init) for path in _descriptors(who.pid)]

    assert Path(held.name) not in open_files
    assert open_files
    node.delete()


def _descriptors(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/fd").iterdir())


def test_cleaning_ends_kept_nodes(kit: Kit, tmp_path: Path) -> None:
    """With a run folder and a cache of its own, as kept nodes of others are not to be ended."""
    alone = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {RUN_FOLDER} && exec "$@"', "sh"]
    clean = "node.keep(); print(Node.sweep(kept=True)); print(Node.sweep(kept=True))"
    name = unique("kept")

    owner = kit.start_in_other_process(name, then=clean, within=alone, cache=str(tmp_path))

    printed, _ = owner.communicate(timeout=60)
    assert printed.splitlines() == ["starting", "ready", f"['{name}']", "[]"]
    assert list((tmp_path / "gitops-e2e/nodes").iterdir()) == []
    assert cgroup_folders(name) == []
