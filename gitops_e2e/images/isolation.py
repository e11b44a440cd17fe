"""Namespaces for work that mounts: however it ends, nothing stays mounted and no process stays."""

PRIVATE_MOUNTS = ("unshare", "--mount")
PRIVATE_MOUNTS_AND_PROCESSES = (*PRIVATE_MOUNTS, "--pid", "--fork", "--kill-child", "--mount-proc")
