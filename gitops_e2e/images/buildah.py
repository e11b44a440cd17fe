"""Images from Containerfiles, by Debian's buildah, with a store of its own for every build."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_e2e.commands import run
from gitops_e2e.images.isolation import PRIVATE_MOUNTS_AND_PROCESSES

ARCHIVE = "image.oci.tar"
_BUILD_BOUND = 900.0
_EXPORT_BOUND = 300.0
# What a RUN needs where this machine reaches package registries in a way of its own.
_OF_THE_MACHINE = (Path("/etc/ssl/certs"), Path("/root/.npmrc"), Path("/etc/npmrc"))


@dataclass(frozen=True)
class Build:
    """One image to build: `containerfile` in the folder `context`.

    `contexts` are further folders to `COPY --from` by name; `reference` is the name in the archive.
    """

    reference: str
    containerfile: Path
    context: Path
    contexts: Mapping[str, Path] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)

    def to(self, folder: Path) -> None:
        """Write the OCI archive `image.oci.tar` into the folder, nothing else; raises CommandFailed.

        The same input gives the same digests: every time stamp is 1970.
        """
        store = folder / "store"
        temporary = store / "tmp"
        temporary.mkdir(parents=True)
        buildah = (
            *PRIVATE_MOUNTS_AND_PROCESSES,
            "buildah",
            "--root",
            store / "root",
            "--runroot",
            store / "run",
            "--storage-driver=overlay",
        )
        environment = {"TMPDIR": str(temporary)}
        run(
            [
                *(
                    *buildah,
                    "build",
                    "--quiet",
                    "--isolation=chroot",
                    "--network=host",
                    "--pull=never",
                    "--layers=false",
                ),
                *("--format=oci", "--timestamp=0", f"--tag={self.reference}", f"--file={self.containerfile}"),
                *(f"--build-arg={name}={value}" for name, value in self.arguments.items()),
                *(f"--build-context={name}={path}" for name, path in self.contexts.items()),
                *(f"--volume={path}:{path}:ro" for path in _OF_THE_MACHINE if path.exists()),
                self.context,
            ],
            timeout=_BUILD_BOUND,
            env=environment,
        )
        run(
            [
                *buildah,
                "push",
                "--quiet",
                "--format=oci",
                self.reference,
                f"oci-archive:{folder / ARCHIVE}:{self.reference}",
            ],
            timeout=_EXPORT_BOUND,
            env=environment,
        )
        shutil.rmtree(store)
