"""A Docker engine of our own, for where there is none.

It has its own socket, data, run folder, control groups and bridge, and touches nothing of the machine's:

- dockerd is PID 1 of a PID namespace and dies with the process that started it, however that ends; the kernel then
  kills what is in the namespace: containerd, shims, every container.
- What dockerd would change for the whole machine it is told to leave alone: no iptables rule (so the FORWARD policy
  stays as it is, and other private networks with it), no sysctl, no masquerading, no bridge docker0. The network
  `kind` is made here, on a bridge of known name; what comes from it goes to this machine or nowhere.
- What can stay after a kill (the bridge, a routing rule, control groups, folders) is swept at the next start.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.kind import runc
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import EngineFailed
from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.leftovers import end
from gitops_e2e.clusters.node.state import RUN_FOLDER
from gitops_e2e.clusters.records import Records
from gitops_e2e.commands import run
from gitops_e2e.machine.capacity import require_disk, require_root
from gitops_e2e.machine.isolation import PRIVATE_MOUNTS_AND_PROCESSES
from gitops_e2e.machine.packages import require
from gitops_e2e.progress import say

PACKAGES = ("docker.io", "iproute2", "iptables")
_PURPOSE = "a Docker engine of our own"
_NETWORK = "kind"
_DISK = 6 * 2**30
_START_BOUND = 60.0
_POLL = 0.1
_BOUND = 10.0
_REMOVAL_BOUND = 120.0
_LOG_TAIL = 15
_CAP_SYS_RESOURCE = 24
"""A bit, by include/uapi/linux/capability.h."""

# What dockerd and containerd put below /run they put on a file system of their own, but for what is ours.
_OWN_RUN = """\
mount --bind "$0" "$1"
mount --types tmpfs --options mode=755 none /run
mkdir --parents "$0"
mount --move "$1" "$0"
shift
exec "$@"
"""


@dataclass(frozen=True)
class EngineRecord:
    """An engine: its name, its folder for data, the process that owns it, and dockerd once it runs."""

    name: str
    data: Path
    owner: ProcessIdentity
    dockerd: ProcessIdentity | None = None

    @property
    def run(self) -> Path:
        """Where sockets are: the path of one has 107 characters at most."""
        return RUN_FOLDER / "engines" / self.name

    @property
    def log(self) -> Path:
        """What dockerd says."""
        return self.data / "dockerd.log"

    @property
    def engine(self) -> Engine:
        """The engine as its users know it."""
        return Engine(self.run / "docker.sock")

    @property
    def bridge(self) -> str:
        """The interface of the network `kind` (names have 15 characters at most)."""
        return self.name

    @property
    def cgroup(self) -> str:
        """The group of all containers."""
        return f"gitops-e2e-{self.name}"

    def to_json(self) -> str:
        """The record as JSON."""
        return json.dumps({**asdict(self), "data": str(self.data)}, indent=2)

    @staticmethod
    def from_json(text: str) -> EngineRecord:
        """The record that `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        dockerd = ProcessIdentity(**raw["dockerd"]) if raw["dockerd"] else None
        return EngineRecord(raw["name"], Path(raw["data"]), ProcessIdentity(**raw["owner"]), dockerd)


def records() -> Records[EngineRecord]:
    """The engines of this machine that are ours."""
    return Records(RUN_FOLDER / "engines", EngineRecord.from_json)


@contextmanager
def some_engine(cache: Cache) -> Iterator[Engine]:
    """The machine's own engine where one answers, else one of ours for the time of the block."""
    local = Engine.local()
    reason = local.unavailable_because()
    if reason is None:
        say(f"  Docker engine: the machine's own, at {local.socket}")
        yield local
        return
    say(f"  Docker engine: one of our own, as {reason}")
    with own_engine(cache) as engine:
        yield engine
        say("  … stopping the Docker engine")


@contextmanager
def own_engine(cache: Cache) -> Iterator[Engine]:
    """An engine for the time of the block, after sweeping what killed ones left.

    Raises NotRoot, PackagesMissing, TooLittleDisk, and EngineFailed with dockerd's last lines.
    """
    require_root(purpose=_PURPOSE)
    require(*PACKAGES)
    require_disk(cache.root, _DISK, purpose=_PURPOSE)
    sweep()
    record = EngineRecord(f"docker{os.getpid()}", cache.root / "docker" / str(os.getpid()), _myself())
    records().save(record)
    try:
        record = _start(record)
        yield record.engine
    finally:
        _tidy(record)


def sweep() -> list[str]:
    """Tidy up after engines whose owner has died; their names."""
    with records().lock():
        dead = [record for record in records().all() if not record.owner.alive]
        for record in dead:
            _tidy(record)
    return [record.name for record in dead]


def _start(record: EngineRecord) -> EngineRecord:
    for folder in (record.run, record.data / "run"):
        folder.mkdir(parents=True)
    run(["ip", "rule", "add", *_nowhere_else(record)], timeout=_BOUND)
    groups = cgroups.detect()
    if isinstance(groups, cgroups.VersionOne):
        groups.create(record.cgroup)  # or all containers weigh as much as one process of the machine
    with record.log.open("w") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *_dockerd(record)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    record = replace(record, dockerd=ProcessIdentity.of(process.pid))
    records().save(record)
    _await(record, process)
    bridge = f"--opt=com.docker.network.bridge.name={record.bridge}"
    record.engine.docker("network", "create", "--driver=bridge", bridge, _NETWORK)
    return record


def _dockerd(record: EngineRecord) -> list[str | Path]:
    configuration = record.data / "daemon.json"
    configuration.write_text("{}")  # in the place of the machine's own
    return [
        *PRIVATE_MOUNTS_AND_PROCESSES,
        *("sh", "-ec", _OWN_RUN, record.run, record.data / "run"),
        "dockerd",
        f"--config-file={configuration}",
        f"--host=unix://{record.engine.socket}",
        f"--data-root={record.data / 'data'}",
        f"--exec-root={record.run / 'exec'}",
        f"--pidfile={record.run / 'docker.pid'}",
        f"--cgroup-parent=/{record.cgroup}",
        "--bridge=none",
        "--ip-forward=false",
        "--ip-masq=false",
        "--iptables=false",
        "--log-level=warn",
        *_runtime(record),
    ]


def _runtime(record: EngineRecord) -> tuple[str, ...]:
    """The machine's runc, or a wrapper around it where even root lacks CAP_SYS_RESOURCE."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    if int(effective, 16) >> _CAP_SYS_RESOURCE & 1:
        return ()
    wrapper = record.data / "runc"
    command = shlex.join([sys.executable, "-S", runc.__file__, shutil.which("runc") or "/usr/sbin/runc"])
    wrapper.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    wrapper.chmod(0o755)
    return (f"--add-runtime=wrapped={wrapper}", "--default-runtime=wrapped")


def _await(record: EngineRecord, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_BOUND
    while reason := record.engine.unavailable_because():
        if process.poll() is not None:
            raise EngineFailed(f"dockerd ended with exit code {process.returncode}{_last_lines(record)}")
        if time.monotonic() > deadline:
            raise EngineFailed(f"dockerd did not answer within {_START_BOUND:g} s: {reason}{_last_lines(record)}")
        time.sleep(_POLL)


def _tidy(record: EngineRecord) -> None:
    """End dockerd and all in its namespace, then remove everything of it; its record goes last."""
    if record.dockerd:
        inside = _child(record.dockerd)
        end(record.dockerd, signal.SIGKILL)
        if inside:
            inside.wait(_BOUND)  # PID 1 of the namespace: the kernel lets it end after all the others
    links = json.loads(run(["ip", "-json", "link", "show"], timeout=_BOUND).stdout)
    if record.bridge in {link["ifname"] for link in links}:
        run(["ip", "link", "delete", record.bridge], timeout=_BOUND)
    rules = json.loads(run(["ip", "-json", "rule", "show"], timeout=_BOUND).stdout)
    if record.bridge in {rule.get("iif") for rule in rules}:
        run(["ip", "rule", "delete", *_nowhere_else(record)], timeout=_BOUND)
    cgroups.remove_everywhere(record.cgroup)
    folders = (record.data, record.run)
    run(["rm", "--recursive", "--force", "--one-file-system", *folders], timeout=_REMOVAL_BOUND)
    records().forget(record.name)


def _nowhere_else(record: EngineRecord) -> tuple[str, ...]:
    """A routing rule: what comes from the bridge and is not for this machine is unreachable."""
    return ("iif", record.bridge, "unreachable")


def _child(process: ProcessIdentity) -> ProcessIdentity | None:
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return ProcessIdentity.of(int(children[0])) if children else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def _myself() -> ProcessIdentity:
    return ProcessIdentity.of(os.getpid())


def _last_lines(record: EngineRecord) -> str:
    lines = record.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:]
    return "".join(f"\n    | {line}" for line in lines)
