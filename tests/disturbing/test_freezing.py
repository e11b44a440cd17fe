"""Stopping processes by the container that they are of: the pod's script, in a real shell, on processes of its own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from gitops_e2e.disturbing.freezing import freezers
from gitops_e2e.kube import Manifest

_BOUND = 10.0


def pod(name: str, node: str, *containers: str) -> Manifest:
    return {
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"nodeName": node},
        "status": {"containerStatuses": [{"containerID": f"containerd://{each}"} for each in containers]},
    }


def test_each_node_has_a_pod_that_knows_its_containers() -> None:
    pods = [pod("a", "one", "c1", "c2"), pod("b", "two", "c3"), pod("c", "one", "c4")]

    made = freezers(pods, image="haproxy", seconds=30)

    assert [(each["spec"]["nodeName"], each["spec"]["containers"][0]["command"][4:]) for each in made] == [
        ("one", ["c1", "c2", "c4"]),
        ("two", ["c3"]),
    ]
    assert all(each["spec"]["hostPID"] for each in made)


def state_of(process: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def await_state(process: subprocess.Popen[bytes], state: str) -> None:
    deadline = time.monotonic() + _BOUND
    while state_of(process) != state:
        assert time.monotonic() < deadline, f"it is {state_of(process)}"
        time.sleep(0.05)


def freezer(tmp_path: Path, process: subprocess.Popen[bytes], container: str) -> subprocess.Popen[bytes]:
    """The script, on a machine that has this process alone, in container c1."""
    place = tmp_path / f"proc/{process.pid}"
    place.mkdir(parents=True)
    (place / "cgroup").write_text("0::/kubepods/pod-of-it/c1\n")
    (made,) = freezers([pod("a", "one", container)], image="haproxy", seconds=30)
    (spec,) = made["spec"]["containers"]
    shell, option, script, *rest = spec["command"]
    environment = {each["name"]: each["value"] for each in spec["env"]}
    return subprocess.Popen(
        [shell, option, script.replace("/proc", str(tmp_path / "proc")), *rest],
        env={**environment, "FROZEN": str(tmp_path / "frozen"), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_processes_are_stopped_and_go_on_when_the_pod_ends_early(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            with freezer(tmp_path, process, "c1") as script:
                await_state(process, "T")
                script.terminate()
            await_state(process, "S")
        finally:
            process.kill()


def test_where_no_process_is_of_the_container_it_says_so(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            with freezer(tmp_path, process, "another") as script:
                _, said = script.communicate(timeout=_BOUND)
                assert script.returncode == 1
            assert b"no process is of another" in said
            assert not (tmp_path / "frozen").exists()
            assert state_of(process) == "S"
        finally:
            process.kill()
