"""Images from Containerfiles, by Debian's buildah, with a store of its own for every build."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_e2e.commands import run
from gitops_e2e.images.isolation import PRIVATE_MOUNTS_AND_PROCESSES
from gitops_e2e.images.needs import BUILDING

ARCHIVE = "image.oci.tar"
_BUILD_BOUND = 900.0
_EXPORT_BOUND = 300.0
# A time stamp of 1970 on everything: the same input gives the same digests.
_BUILD = ("build", "--quiet", "--format=oci", "--layers=false", "--timestamp=0")
# The chroot isolation needs no container engine; nothing is pulled, as all bases are given as archives.
_ENVIRONS = ("--isolation=chroot", "--network=host", "--pull=never")
_PUSH = ("push", "--quiet", "--format=oci")


@dataclass(frozen=True)
class Build:
    """One image to build from `containerfile` with the folder `context`.

    `contexts` are further folders to `COPY --from` by name, `arguments` its build arguments, `mounts` files of this
    machine that a RUN sees at the same place. `reference` is the image's name in the archive.
    """

    reference: str
    containerfile: Path
    context: Path
    contexts: Mapping[str, Path] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Path, ...] = ()

    def to(self, folder: Path) -> Path:
        """Write the image into the folder as an OCI archive, the path of which is returned; raises CommandFailed."""
        BUILDING.meet(folder, purpose=f"building image {self.reference}")
        archive = folder / ARCHIVE
        store = folder / "store"
        temporary = store / "tmp"
        temporary.mkdir(parents=True)
        stored = (f"--root={store / 'root'}", f"--runroot={store / 'run'}", "--storage-driver=overlay")
        buildah = (*PRIVATE_MOUNTS_AND_PROCESSES, "buildah", *stored)
        environment = {"TMPDIR": str(temporary)}
        build: list[str | Path] = [*buildah, *_BUILD, *_ENVIRONS, *self._options(), self.context]
        run(build, timeout=_BUILD_BOUND, env=environment)
        push = [*buildah, *_PUSH, self.reference, f"oci-archive:{archive}:{self.reference}"]
        run(push, timeout=_EXPORT_BOUND, env=environment)
        shutil.rmtree(store)
        return archive

    def _options(self) -> list[str]:
        return [
            f"--tag={self.reference}",
            f"--file={self.containerfile}",
            *(f"--build-arg={name}={value}" for name, value in self.arguments.items()),
            *(f"--build-context={name}={path}" for name, path in self.contexts.items()),
            *(f"--volume={path}:{path}:ro" for path in self.mounts if path.exists()),
        ]
