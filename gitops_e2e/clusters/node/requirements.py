"""What a machine must be and have to run a node."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from gitops_e2e.clusters.node import cgroups
from gitops_e2e.clusters.node.errors import NodeUnavailable, UnsuitableCgroups

PACKAGES = ("containerd", "containernetworking-plugins", "iproute2", "mount", "nftables", "runc", "util-linux")
"""Debian packages that the node's programs come from."""

_COMMANDS = {
    "containerd": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "pivot_root": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}


_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
"""Bits by include/uapi/linux/capability.h."""


def unavailable() -> NodeUnavailable | None:
    """Why no node can run here, whatever is installed, and what to do about it; None if one can.

    For choosing a provider.
    """
    if platform.system() != "Linux":
        return NodeUnavailable(f"this is {platform.system()}, and a node needs Linux", remedy="run it on Linux")
    if os.geteuid() != 0:
        return NodeUnavailable(
            "only root may make the namespaces of a node", remedy="run as root on Linux (sudo make features)"
        )
    lacking = [name for name, bit in _CAPABILITIES.items() if not _effective_capabilities() >> bit & 1]
    if lacking:
        return NodeUnavailable(
            f"root lacks {' and '.join(lacking)} here, as in a container that is not privileged",
            remedy="run it outside of the container, or in one that is privileged",
        )
    try:
        cgroups.detect()
    except UnsuitableCgroups as error:
        return error
    return None


def require() -> None:
    """Raise NodeUnavailable, with what to do about it, where no node can be started right now."""
    if error := unavailable():
        raise error
    missing = sorted({package for command, package in _COMMANDS.items() if shutil.which(command) is None})
    if missing:
        raise NodeUnavailable(
            f"a node needs Debian packages that are missing: {', '.join(missing)}",
            remedy=f"apt-get install {' '.join(missing)}",
        )


def _effective_capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
