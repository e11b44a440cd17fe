"""Debian packages that a run needs, installed where they are missing."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.errors import HarnessError
from gitops_e2e.machine.capacity import require_root
from gitops_e2e.progress import doing, say

_QUERY_BOUND = 30.0
_INSTALL_BOUND = 1800.0
_FOREIGN_LOCK_BOUND = 300.0
_FOREIGN_LOCK_POLL = 1.0
# What apt-get and dpkg say when another process installs. APT's own DPkg::Lock::Timeout is not for package lists.
_LOCKED = ("Could not get lock", "Unable to acquire the dpkg frontend lock", "was locked by another process")
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "NEEDRESTART_SUSPEND": "1"}
_KEEP_CONFIGURATION = ("--force-confdef", "--force-confold")
_APT = ("apt-get", "--quiet=2", *(f"--option=Dpkg::Options::={option}" for option in _KEEP_CONFIGURATION))
_MACHINE = Path("/run/gitops-e2e")

# Debian's package scripts ask this one before they start a service, and 101 is no. It is only mounted, where nobody
# else sees it, so nothing of it stays when the installation is killed: what may stay is the empty file below the
# mount, which is not executable, and so is not asked.
_POLICY = Path("/usr/sbin/policy-rc.d")
_START_NO_SERVICE = "#!/bin/sh\nexit 101\n"
_MOUNTING_POLICY = ("unshare", "--mount", "sh", "-c", f'mount --bind "$0" {_POLICY} && exec "$@"')


class PackagesMissing(HarnessError):
    """Debian packages are missing and cannot be installed."""


def require(*packages: str) -> None:
    """Install those of the packages that are missing, with their dependencies and nothing else.

    A package is a name, or "name>=version". No service is started, no package is removed, and changed
    configuration files stay as they are. Raises NotRoot and PackagesMissing.
    """
    if not _missing(packages):
        return
    require_root(purpose=f"installing the Debian packages {', '.join(_missing(packages))}")
    with Cache(_MACHINE).lock("debian-packages"):
        missing = _missing(packages)  # which another run may just have installed
        if missing:
            with doing(f"installing Debian packages: {', '.join(missing)}"):
                _install(missing)


def _missing(packages: Sequence[str]) -> list[str]:
    versions = _installed_versions([package.partition(">=")[0] for package in packages])
    return [package for package in dict.fromkeys(packages) if not _satisfied(package, versions)]


def _installed_versions(names: Sequence[str]) -> Mapping[str, str]:
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status} ${binary:Package} ${Version}\n")
    try:
        shown = run([*query, *names], timeout=_QUERY_BOUND).stdout
    except CommandFailed as error:
        shown = error.output  # some are unknown, the others are shown all the same
    lines = (line.split() for line in shown.splitlines() if line.startswith("installed "))
    return {package.partition(":")[0]: version for _, package, version in lines}


def _satisfied(package: str, versions: Mapping[str, str]) -> bool:
    name, _, oldest = package.partition(">=")
    if name not in versions:
        return False
    if not oldest:
        return True
    try:
        run(["dpkg", "--compare-versions", versions[name], "ge", oldest], timeout=_QUERY_BOUND)
    except CommandFailed:
        return False  # which is how dpkg says no
    return True


def _install(packages: Sequence[str]) -> None:
    names = [package.partition(">=")[0] for package in packages]
    listed = ", ".join(packages)
    try:
        _update()
        with _no_service_starting() as prefix:
            if _dpkg_was_interrupted():
                _run_unlocked([*prefix, "dpkg", "--configure", "--pending", *_KEEP_CONFIGURATION])
            _run_unlocked([*prefix, *_APT, "install", "--yes", "--no-remove", "--no-install-recommends", *names])
    except CommandFailed as error:
        raise PackagesMissing(
            f"these Debian packages are missing and cannot be installed: {listed}\n{error}",
            remedy=f"see why `apt-get install {shlex.join(names)}` fails, or install them in another way",
        ) from error
    if still := _missing(packages):
        raise PackagesMissing(
            f"apt-get succeeded, but these Debian packages are still missing: {', '.join(still)}",
            remedy="see `apt-cache policy` for the versions that this machine's package sources have",
        )


def _update() -> None:
    try:
        _run_unlocked([*_APT, "update"])
    except CommandFailed as error:
        # One package source of many that cannot be reached is no reason to give up.
        say(f"  ! not every package list could be read; going on with those there are\n{error}")


def _run_unlocked(argv: Sequence[str]) -> None:
    """Run it, waiting for another process that installs."""
    deadline = time.monotonic() + _FOREIGN_LOCK_BOUND
    told = False
    while True:
        try:
            run(argv, timeout=_INSTALL_BOUND, env=_ENVIRONMENT)
        except CommandFailed as error:
            locked = any(text in error.output for text in _LOCKED)
            if not locked or time.monotonic() > deadline:
                raise
        else:
            return
        if not told:
            say("  … waiting for another process that installs packages")
            told = True
        time.sleep(_FOREIGN_LOCK_POLL)


def _dpkg_was_interrupted() -> bool:
    """Whether dpkg left its journal; apt-get refuses to install then."""
    return any(entry.name.isdigit() for entry in Path("/var/lib/dpkg/updates").iterdir())


@contextmanager
def _no_service_starting() -> Iterator[tuple[str, ...]]:
    """Give what to put before a command so that no service is started by it."""
    ours = not _POLICY.exists() or _POLICY.stat().st_size == 0
    _POLICY.touch(mode=0o644)
    with tempfile.TemporaryDirectory(prefix="gitops-e2e-") as folder:
        policy = Path(folder) / _POLICY.name
        policy.write_text(_START_NO_SERVICE)
        policy.chmod(0o755)
        try:
            yield (*_MOUNTING_POLICY, str(policy))
        finally:
            if ours:
                _POLICY.unlink()
