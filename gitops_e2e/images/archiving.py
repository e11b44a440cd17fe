"""Images that are not built here, as the archives that everything else is made of: given ones, and pulled ones."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_e2e.bundle import ImageArchive
from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.buildah import ARCHIVE
from gitops_e2e.images.needs import PULLING, PUSHING
from gitops_e2e.progress import doing

_COPY = ("skopeo", "--insecure-policy", "copy", "--quiet")
_COPY_BOUND = 300.0
_GZIP = b"\x1f\x8b"
_PULL_BOUND = 900.0


class NotPulled(HarnessError):
    """An image or a chart cannot be pulled."""


def archived(cache: Cache, given: ImageArchive) -> Path:
    """The image of a given archive as an OCI archive that has its name in full; copied if missing."""
    key = digest(given.format, given.reference, given.digest)

    def copy(folder: Path) -> None:
        PUSHING.meet(folder, purpose=f"reading image {given.reference}")
        target = f"oci-archive:{folder / ARCHIVE}:{given.reference}"
        with doing(f"reading image {given.reference} from {given.path.name}"), _uncompressed(given.path) as source:
            run([*_COPY, f"{given.format}:{source}", target], timeout=_COPY_BOUND)

    return cache.entry("given", key, copy) / ARCHIVE


def pulled(cache: Cache, reference: str) -> Path:
    """The image of that name and tag as an OCI archive, pulled if missing. Raises NotPulled and BundleError."""

    def pull(folder: Path) -> None:
        PULLING.meet(folder, purpose=f"pulling image {reference}")
        target = folder / ARCHIVE
        with doing(f"pulling image {reference}"):
            try:
                run([*_COPY, f"docker://{reference}", f"oci-archive:{target}:{reference}"], timeout=_PULL_BOUND)
            except CommandFailed as error:
                raise not_pulled(f"image {reference}", error) from error
        ImageArchive.read(target)

    return cache.entry("pulled", digest(reference), pull) / ARCHIVE


@contextmanager
def _uncompressed(path: Path) -> Iterator[Path]:
    """The archive without compression: skopeo 1.9 finds nothing in a compressed one that `docker save` wrote."""
    with path.open("rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
    if not compressed:
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=".tar") as plain, gzip.open(path) as content:
        shutil.copyfileobj(content, plain)
        plain.flush()
        yield Path(plain.name)


def not_pulled(what: str, error: CommandFailed) -> NotPulled:
    """The error that says what cannot be pulled, and why."""
    reason = next(reversed(error.output.strip().splitlines()), str(error))
    return NotPulled(
        f"{what} cannot be pulled: {reason}",
        remedy="see that this machine reaches the registry, or give it in a bundle; docs/kargo.md has the command",
    )
