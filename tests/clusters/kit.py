"""What a node is started from, and what can be seen of one from outside."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.cgroups import VersionOne, VersionTwo
from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.processes import BINARIES, Binary
from gitops_e2e.clusters.node.state import NodeState, Registry
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.progress import say

_REPOSITORY = Path(__file__).parents[2]
_GONE_BOUND = 30.0


@dataclass(frozen=True)
class Kit:
    """Where the commands and the containerd root of a node are; plain enough to be handed to another process."""

    binaries: dict[str, str]
    golden: str
    pause: str

    @staticmethod
    def of(binary: Binary, golden: Path, pause: str) -> Kit:
        return Kit({name: str(binary(name)) for name in BINARIES}, str(golden), pause)

    def start(self, name: str, cache: Cache | None = None) -> Node:
        def binary(command: str) -> Path:
            return Path(self.binaries[command])

        return Node.start(name, binary=binary, golden=Path(self.golden), pause=self.pause, cache=cache)

    def with_images_in(self, folder: Path) -> Kit:
        """The same images in a golden root of another place."""
        shutil.copytree(self.golden, folder)
        return replace(self, golden=str(folder))

    def start_in_other_process(
        self,
        name: str,
        *,
        first: str = "",
        then: str = "import time; time.sleep(600)",
        within: Sequence[str] = (),
        cache: str = "",
    ) -> subprocess.Popen[str]:
        """A process that does `first`, says `starting`, starts `node`, says `ready`, and does `then`.

        `within` is a command to run it by, `cache` the folder of another cache than the user's.
        """
        script = (
            f"{first}\nimport json, sys; from tests.clusters.kit import Kit, Node\n"
            "kit = Kit(**json.loads(sys.argv[1])); print('starting', flush=True)\n"
            f"node = kit.start({name!r}); print('ready', flush=True); {then}"
        )
        return subprocess.Popen(
            [*within, sys.executable, "-c", script, json.dumps(asdict(self))],
            cwd=_REPOSITORY,
            env={**os.environ, **({"XDG_CACHE_HOME": cache} if cache else {})},
            stdout=subprocess.PIPE,
            text=True,
        )


def pod(name: str, image: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 0},
    }


def run_pod(node: Node, name: str, image: str) -> Manifest:
    kube = Kube(node.kubeconfig)
    kube.apply(pod(name, image))
    ref = Ref("v1", "Pod", name, "default")
    assert eventually(lambda: kube.get(ref)["status"]["phase"] == "Running")
    return kube.get(ref)


def state_of(name: str) -> NodeState:
    return Registry().get(name)


def eventually(holds: Callable[[], bool], seconds: float = _GONE_BOUND) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_of(name: str) -> list[ProcessIdentity]:
    """Every process in the node's control groups, pods included."""
    found = []
    for top in cgroup_folders(name):
        for folder, *_ in os.walk(top):  # which passes over what goes meanwhile
            for pid in _pids_in(Path(folder)):
                try:
                    found.append(ProcessIdentity.of(int(pid)))
                except ProcessLookupError:
                    pass  # it ended just now
    return found


def _pids_in(cgroup: Path) -> list[str]:
    """Those of a control group: none where it is gone, which Linux tells in two ways."""
    try:
        return (cgroup / "cgroup.procs").read_text().split()
    except FileNotFoundError:
        return []
    except OSError as error:
        if error.errno == errno.ENODEV:
            return []
        raise


def cgroup_folders(name: str) -> list[Path]:
    groups = cgroups.detect()
    if isinstance(groups, VersionOne):
        tops = [hierarchy.mount for hierarchy in groups.hierarchies]
    else:
        assert isinstance(groups, VersionTwo)
        tops = [groups.mount]
    return [folder for top in tops if (folder := top / f"gitops-e2e-{name}").exists()]


def traces(state: NodeState) -> list[str]:
    """What can be seen of a node outside of it; empty when nothing is left."""
    return list(_traces(state))


def is_gone(state: NodeState) -> bool:
    """Whether nothing of the node is left."""
    return not traces(state)


def random_moments() -> random.Random:
    """Where moments to kill something at come from: told, so that they can be had again."""
    seed = int(os.environ.get("GITOPS_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    say(f"  random kills, repeated with GITOPS_E2E_SEED={seed}")
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def living_traces(state: NodeState) -> list[str]:
    """Processes, mounts and interfaces of a node: what must go even if nobody could tidy up."""
    return [trace for trace in _traces(state) if trace.split()[0] in {"process", "mount", "interface"}]


def _traces(state: NodeState) -> Iterator[str]:
    yield from (f"process {process.pid}" for process in processes_of(state.name))
    yield from (f"cgroup {folder}" for folder in cgroup_folders(state.name))
    if str(state.data) in Path("/proc/self/mountinfo").read_text():
        yield f"mount below {state.data}"
    if not any(other.subnet == state.subnet and other.name != state.name for other in Registry().all()):
        yield from _network_traces(state)
    if state.data.exists():
        yield f"data folder {state.data}"
    if Registry().find(state.name):
        yield "state"


def _network_traces(state: NodeState) -> Iterator[str]:
    if state.subnet.link in run(["ip", "link", "show"], timeout=5).stdout:
        yield f"interface {state.subnet.link}"
    if str(state.subnet.network) in run(["ip", "route", "show"], timeout=5).stdout:
        yield f"route {state.subnet.network}"


def route_to(address: str) -> str:
    """How the machine would send a packet there now."""
    try:
        return run(["ip", "route", "get", address], timeout=5).stdout
    except CommandFailed as refused:
        return refused.output


def inside(pid: int, script: str, *, seconds: float = 10) -> str:
    """What a Python script prints in the network namespace of a process."""
    return run(["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-S", "-c", script], timeout=seconds).stdout


UNIQUE_NAMES: set[str] = set()


def unique(word: str) -> str:
    """A name for a node of one test, which is deleted at the test's end if it is still there."""
    name = f"test-{word}-{os.getpid()}"
    UNIQUE_NAMES.add(name)
    return name
