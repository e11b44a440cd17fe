"""An engine of our own: it works, changes nothing of the machine's, and leaves nothing, however its owner ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind import own_engine
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.own_engine import EngineRecord
from gitops_e2e.commands import run
from tests.clusters.kit import eventually

pytestmark = [pytest.mark.node, pytest.mark.kind]

_REPOSITORY = Path(__file__).parents[3]
_OWNER = """
import sys, time
from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind.own_engine import own_engine
with own_engine(Cache.of_user()) as engine:
    print(engine.docker("info", "--format={{.CgroupDriver}}"), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    """A process that owns a running engine."""
    process = subprocess.Popen([sys.executable, "-c", _OWNER], cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    own_engine.sweep()


def record_of(owner: subprocess.Popen[str]) -> EngineRecord:
    record = own_engine.records().find(f"docker{owner.pid}")
    assert record
    return record


def machine() -> dict[str, str]:
    """What of the machine an engine may not change."""
    return {
        "filter": run(["iptables", "-S"], timeout=10).stdout,
        "nat": run(["iptables", "-t", "nat", "-S"], timeout=10).stdout,
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "routes": run(["ip", "route", "show", "scope", "global"], timeout=10).stdout,
    }


def traces(record: EngineRecord) -> list[str]:
    """What can be seen of an engine from outside; empty when nothing is left."""
    found = [str(folder) for folder in (record.data, record.run) if folder.exists()]
    found += [line for line in run(["ip", "link", "show"], timeout=10).stdout.splitlines() if record.bridge in line]
    found += [line for line in run(["ip", "rule", "show"], timeout=10).stdout.splitlines() if record.bridge in line]
    found += [str(group) for group in Path("/sys/fs/cgroup").glob(f"*/{record.cgroup}")]
    if str(record.data) in Path("/proc/self/mountinfo").read_text():
        found.append("mount")
    return found + processes(record)


def weights(record: EngineRecord) -> set[str]:
    """What all containers together may have of the processors, where control groups of version 1 say it."""
    shares = Path("/sys/fs/cgroup").glob(f"*/{record.cgroup}/cpu.shares")
    return {file.read_text().strip() for file in shares}


def processes(record: EngineRecord) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(record.run) in command:
            found.append(f"{path.parent.name}: {command}")
    return found


def test_it_ends_with_the_block_and_leaves_nothing() -> None:
    before = machine()
    with own_engine.own_engine(Cache.of_user()) as engine:
        record = next(one for one in own_engine.records().all() if one.owner.pid == os.getpid())
        assert engine.unavailable_because() is None
        assert engine.docker("network", "ls", "--format={{.Name}}").split().count("kind") == 1
        assert machine() == before
        assert processes(record)
        assert weights(record) <= {"4096"}, "its containers have to weigh as much as a node of ours"

    assert machine() == before
    assert traces(record) == []
    assert own_engine.records().find(record.name) is None


def test_it_dies_with_an_owner_that_is_killed_and_what_stays_is_swept(owner: subprocess.Popen[str]) -> None:
    record = record_of(owner)
    assert processes(record)

    owner.send_signal(signal.SIGKILL)
    owner.wait()

    assert eventually(lambda: not processes(record)), processes(record)
    assert record.name in own_engine.sweep()
    assert traces(record) == []


def test_two_run_side_by_side(owner: subprocess.Popen[str]) -> None:
    with own_engine.own_engine(Cache.of_user()) as engine:
        assert own_engine.records().find(record_of(owner).name), "the engine of a living owner was swept"
        assert engine.unavailable_because() is None
        assert record_of(owner).engine.unavailable_because() is None
        assert subnet(engine) != subnet(record_of(owner).engine)


def subnet(engine: Engine) -> str:
    return engine.docker("network", "inspect", "--format={{(index .IPAM.Config 0).Subnet}}", "kind")


def test_what_it_does_not_own_is_not_swept(owner: subprocess.Popen[str]) -> None:
    assert record_of(owner).name not in own_engine.sweep()
    assert record_of(owner).engine.unavailable_because() is None
