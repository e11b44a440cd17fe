"""Namespaces for work that mounts or has many children: however it ends, nothing stays mounted and no process stays."""

import os

PRIVATE_MOUNTS = ("unshare", "--mount")
PRIVATE_MOUNTS_AND_PROCESSES = (*PRIVATE_MOUNTS, "--pid", "--fork", "--kill-child", "--mount-proc")


def private_processes() -> tuple[str, ...]:
    """What to put before a command so that its children end with it; nothing without root, who alone may do that."""
    return PRIVATE_MOUNTS_AND_PROCESSES if os.geteuid() == 0 else ()
