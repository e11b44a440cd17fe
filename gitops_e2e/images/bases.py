"""Bases: Debian packages unpacked into an image of one layer, by mmdebstrap."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import CommandFailed, CommandTimedOut, run
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.buildah import ARCHIVE
from gitops_e2e.images.needs import BUILDING
from gitops_e2e.machine.isolation import PRIVATE_MOUNTS_AND_PROCESSES
from gitops_e2e.progress import doing

# Bookworm's coreutils lack `cp --update=none` and its git `worktree add --orphan`, which the stack uses.
_SUITE = "trixie"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FINISH = Path(__file__).with_name("finish-base.sh")
_PACKAGES = "packages"
_MMDEBSTRAP = (*PRIVATE_MOUNTS_AND_PROCESSES, "mmdebstrap", "--mode=root", f"--keyring={_KEYRING}")
_UNPACK = ("--variant=extract", f"--extract-hook={_FINISH}")
# Nobody reads them in a container.
_INSTALL = (
    "--variant=minbase",
    *(f"--dpkgopt=path-exclude=/usr/share/{unread}/*" for unread in ("doc", "man", "locale")),
)
_COPY_IMAGE = ("skopeo", "--insecure-policy", "copy", "--quiet")
_BOUND = 900.0


class BaseFailed(CommandFailed):
    """A base cannot be made of its Debian packages."""


@dataclass(frozen=True)
class Base:
    """A base in the cache: `archive` is its image, `versions` the Debian version of each package in it."""

    folder: Path

    @property
    def archive(self) -> Path:
        """The image, as an OCI archive."""
        return self.folder / ARCHIVE

    @property
    def versions(self) -> Mapping[str, str]:
        """Package names with their versions ("5:8.0.2-3")."""
        lines = (self.folder / _PACKAGES).read_text().splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def version(self, package: str) -> str:
        """The version of the software in a package ("8.0.2"); raises HarnessError where it is not there."""
        try:
            return upstream(self.versions[package])
        except KeyError:
            raise HarnessError(f"the base has no package {package}", where=str(self.folder / _PACKAGES)) from None


def upstream(debian_version: str) -> str:
    """What a Debian package version says of the software: "5:8.0.2+ds1-3" is 8.0.2, with neither epoch,
    revision nor the mark of a repacked source. It changes only when the software does.
    """
    without_epoch = debian_version.partition(":")[2] or debian_version
    without_revision = without_epoch.rpartition("-")[0] or without_epoch
    return re.sub(r"[^A-Za-z0-9._-]", "-", without_revision.partition("+")[0])


def make_base(cache: Cache, packages: Sequence[str]) -> Base:
    """The base of these packages and what they depend on, made if missing; raises BaseFailed."""
    wanted = sorted(packages)
    key = digest(_SUITE, " ".join(wanted), _FINISH)
    return Base(cache.entry("bases", key, lambda folder: _make(wanted, folder)))


def make_system(cache: Cache, packages: Sequence[str]) -> Base:
    """A base of a whole Debian system, essential packages included, whose packages are installed and not only
    unpacked; made if missing. Raises BaseFailed.
    """
    wanted = sorted(packages)
    key = digest(_SUITE, " ".join(wanted), *_INSTALL)
    return Base(cache.entry("bases", key, lambda folder: _make(wanted, folder, installed=True)))


def _make(packages: Sequence[str], folder: Path, *, installed: bool = False) -> None:
    BUILDING.meet(folder, purpose="making a base of Debian packages")
    with doing(f"{'installing' if installed else 'unpacking'} Debian packages into a base: {', '.join(packages)}"):
        root = folder / "root.tar"
        _fill(packages, root, _installing(folder) if installed else _unpacking(folder))
        os.utime(root, (0, 0))  # skopeo takes it for when the image was made, and the same input is to give the same
        run([*_COPY_IMAGE, f"tarball:{root}", f"oci-archive:{folder / ARCHIVE}:base"], timeout=_BOUND)
        root.unlink()


def _unpacking(folder: Path) -> tuple[str, ...]:
    return (*_UNPACK, f"--extract-hook=copy-out /usr/share/{_PACKAGES} {shlex.quote(str(folder))}")


def _installing(folder: Path) -> tuple[str, ...]:
    versions = "dpkg-query --show --showformat='${Package} ${Version}\\n'"
    return (*_INSTALL, f'--customize-hook=chroot "$1" {versions} > {shlex.quote(str(folder / _PACKAGES))}')


def _fill(packages: Sequence[str], root: Path, options: Sequence[str]) -> None:
    """Write the packages as one tar file, and the list of their versions beside it, as the options say."""
    try:
        run(
            [*_MMDEBSTRAP, *options, f"--include={','.join(packages)}", _SUITE, root, _mirror()],
            timeout=_BOUND,
            env={"SOURCE_DATE_EPOCH": "0", "TMPDIR": str(root.parent)},
        )
    except CommandTimedOut:
        raise
    except CommandFailed as error:
        raise BaseFailed(
            f"these Debian packages of {_SUITE} cannot be brought into a base: {', '.join(packages)}",
            output=error.output,
            remedy="see that this machine reaches a mirror of Debian, and that it has the packages",
        ) from error


def _mirror() -> str:
    """The mirror of Debian that this machine itself installs from, else the general one."""
    targets = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    return next(iter(run(targets, timeout=60).stdout.split()), "http://deb.debian.org/debian")
