"""Debian's containerd: started for a while to fill a root, or spoken to where one runs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.commands import run
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.isolation import PRIVATE_MOUNTS

# The namespace in which the kubelet looks for images.
_NAMESPACE = "k8s.io"
_START_BOUND = 30.0
_STOP_BOUND = 30.0
_POLL = 0.02
_LOG_TAIL = 10
_IMPORT_BOUND = 300.0

_CONFIGURATION = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{socket}"
"""


class ContainerdFailed(HarnessError):
    """containerd ended, or did not answer in time."""


def load(socket: Path, archive: Path) -> None:
    """Import an OCI archive's image into a running containerd and unpack it, for pods to start from.

    Loading what is there already does no harm. Raises CommandFailed.
    """
    run(
        ["ctr", "--address", socket, "--namespace", _NAMESPACE, "images", "import", "--snapshotter=overlayfs", archive],
        timeout=_IMPORT_BOUND,
    )


@contextmanager
def running(root: Path, state: Path) -> Iterator[Path]:
    """Run containerd on `root` for the time of the block; gives its socket, in `state`.

    It can hold images, not run pods. What it mounts is its own, and it ends with this process.
    Raises ContainerdFailed when it does not start or stop.
    """
    state.mkdir(parents=True)
    address = state / "containerd.sock"
    configuration = state / "config.toml"
    configuration.write_text(_CONFIGURATION.format(root=root, state=state / "state", socket=address))
    log = state / "containerd.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *PRIVATE_MOUNTS, "containerd", "--config", configuration],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _await(process, address, log)
        yield address
        _stop(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        shutil.rmtree(state)


def _await(process: subprocess.Popen[bytes], address: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_BOUND
    while not _answers(address):
        if process.poll() is not None:
            raise _failed(f"containerd ended with exit code {process.returncode} while it started", log)
        if time.monotonic() > deadline:
            raise _failed(f"containerd did not listen within {_START_BOUND:g} s", log)
        time.sleep(_POLL)


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _stop(process: subprocess.Popen[bytes], log: Path) -> None:
    process.terminate()
    try:
        process.wait(_STOP_BOUND)
    except subprocess.TimeoutExpired as error:
        raise _failed(f"containerd did not stop within {_STOP_BOUND:g} s", log) from error


def _failed(what: str, log: Path) -> ContainerdFailed:
    tail = log.read_text(errors="replace").splitlines()[-_LOG_TAIL:]
    return ContainerdFailed("\n    | ".join([what, *tail]), remedy="see whether another containerd uses the same root")
