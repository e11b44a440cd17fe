"""Images from archives into a registry, and out of it again, by Debian's skopeo."""

from __future__ import annotations

from pathlib import Path

from gitops_e2e.commands import run
from gitops_e2e.images.needs import PUSHING

_PUSH_BOUND = 300.0
_DELETE_BOUND = 60.0


def push(archive: Path, destination: str, *, insecure: bool) -> None:
    """Copy the image of an OCI archive to a registry, with the digests it has.

    `destination` is host, port, repository and tag: "10.231.0.2:30500/kargo-demo/product-api:1.0.0".
    `insecure` allows plain HTTP and certificates that nobody vouches for.
    Raises PackagesMissing where skopeo cannot be installed, and CommandFailed.
    """
    PUSHING.meet(archive.parent, purpose=f"pushing {destination}")
    verify = f"--dest-tls-verify={str(not insecure).lower()}"
    run(
        [
            *("skopeo", "--insecure-policy", "copy", "--quiet", "--preserve-digests", verify),
            *(f"oci-archive:{archive}", f"docker://{destination}"),
        ],
        timeout=_PUSH_BOUND,
    )


def delete(place: str, *, insecure: bool) -> None:
    """Take an image out of a registry, with every tag that it has there; `place` and `insecure` are as for `push`.

    Raises CommandFailed where the registry has none, or does not let go of it.
    """
    verify = f"--tls-verify={str(not insecure).lower()}"
    run(["skopeo", "--insecure-policy", "delete", verify, f"docker://{place}"], timeout=_DELETE_BOUND)
