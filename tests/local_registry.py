"""Debian's registry, run on loopback from where a containerd root has its image unpacked."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from gitops_e2e.account import Account
from gitops_e2e.cache import Cache
from gitops_e2e.clusters.node.certificates import Authority, Identity
from gitops_e2e.images import Images
from gitops_e2e.images.golden import make_golden_root
from gitops_e2e.machine.isolation import PRIVATE_MOUNTS
from gitops_e2e.toolchain import Toolchain

_LOOPBACK = "127.0.0.1"
_BOUND = 30.0
# JSON is YAML, and what is given on the command line is no part of it.
_CONFIGURATION = """\
version: 0.1
storage: {{inmemory: {{}}}}
http: {{addr: "{address}"{tls}}}
{auth}"""
_TLS = ", tls: {certificate: /etc/docker/registry/tls.crt, key: /etc/docker/registry/tls.key}"
_AUTH = "auth: {htpasswd: {realm: private, path: /etc/docker/registry/htpasswd}}\n"
# The layer stays as it is: Debian's folder of the configuration is only covered, and only for this process.
_RUN = """\
folder=/etc/docker/registry
mount --bind "$0" "$1$folder" && exec /usr/sbin/chroot "$1" /usr/bin/docker-registry serve $folder/config.yml
"""


@contextmanager
def running_registry(
    folder: Path, *, tls: bool = False, host: str = _LOOPBACK, account: Account | None = None
) -> Iterator[str]:
    """Its host and port; with `tls`, `folder/ca.crt` is the authority that its certificate is from.

    Where there is an `account`, nobody else gets in.
    """
    folder.mkdir()
    with socket.create_server((host, 0)) as free:
        address = f"{host}:{free.getsockname()[1]}"
    configuration = folder / "config"
    configuration.mkdir()
    (configuration / "config.yml").write_text(
        _CONFIGURATION.format(address=address, tls=_TLS if tls else "", auth=_AUTH if account else "")
    )
    if account:
        (configuration / "htpasswd").write_text(account.htpasswd())
    if tls:
        authority = Authority("registry")
        serving = authority.issue(Identity("registry", addresses=[IPv4Address(host)]))
        (configuration / "tls.crt").write_bytes(serving.certificate)
        (configuration / "tls.key").write_bytes(serving.key)
        (folder / "ca.crt").write_bytes(authority.credentials.certificate)
    process = subprocess.Popen(
        [*PRIVATE_MOUNTS, "sh", "-c", _RUN, configuration, _unpacked()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _BOUND
        while not _listens(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def _unpacked() -> Path:
    cache = Cache.of_user()
    root = make_golden_root(cache, [Images(cache, Toolchain(cache)).archive("registry")])
    found = root.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/usr/bin/docker-registry")
    return next(found).parents[2]


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0
