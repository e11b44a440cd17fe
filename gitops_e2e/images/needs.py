"""What each kind of work with images needs of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.machine.capacity import require_disk, require_root
from gitops_e2e.machine.packages import require


@dataclass(frozen=True)
class Needs:
    """Debian packages, and bytes of disk for one piece of work (measured, with some to spare)."""

    packages: tuple[str, ...]
    disk: int

    def meet(self, folder: Path, *, purpose: str) -> None:
        """Install what is missing; raises NotRoot, PackagesMissing, and TooLittleDisk for where `folder` is."""
        require_root(purpose=purpose)
        require(*self.packages)
        require_disk(folder, self.disk, purpose=purpose)


# The first debian-archive-keyring of bookworm that knows trixie's keys is deb12u2.
BUILDING = Needs(("buildah", "debian-archive-keyring>=2023.3+deb12u2", "mmdebstrap", "runc", "skopeo"), disk=2 * 2**30)
LOADING = Needs(("containerd", "runc"), disk=4 * 2**30)
PUSHING = Needs(("skopeo",), disk=0)
PULLING = Needs(("skopeo",), disk=2**30)
