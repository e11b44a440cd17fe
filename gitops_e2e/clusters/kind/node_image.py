"""The node's image: kind's own, or one made of Debian packages and Go modules, for where that cannot be pulled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gitops_e2e.cache import digest
from gitops_e2e.clusters.kind.control_plane import CONTROL_PLANE, FOLDER, KUBERNETES
from gitops_e2e.commands import run
from gitops_e2e.components.charts.pins import Pins
from gitops_e2e.images import Images
from gitops_e2e.images.bases import make_system
from gitops_e2e.images.buildah import Build
from gitops_e2e.progress import doing
from gitops_e2e.side_by_side import side_by_side

# What kind's own image has, less file systems over a network; and what kind builds from sources, as Debian has it.
PACKAGES = (
    *("bash", "ca-certificates", "conntrack", "curl", "dbus", "ethtool", "iproute2", "iptables", "jq", "kmod"),
    *("libseccomp2", "mount", "nftables", "pigz", "procps", "systemd", "systemd-sysv", "util-linux"),
    *("containerd", "containernetworking-plugins", "runc"),
)
_RECIPE = FOLDER / "node"
_KIND = "sigs.k8s.io/kind"
_ARCHIVE = "image.docker.tar"
_BUILDERS = 2
_COPY_BOUND = 300.0
_REPOSITORY = "gitops-e2e.local/kind-node"


@dataclass(frozen=True)
class NodeImage:
    """An image by its name and tag, which the engine has or pulls."""

    reference: str


@dataclass(frozen=True)
class OwnNodeImage(NodeImage):
    """The image that is made here: a docker archive of it in the cache."""

    archive: Path


def published_node_image() -> NodeImage:
    """The one of kind's own project, as it is pinned. Raises PinsWrong."""
    pin = Pins.read().other("kindest/node")
    return NodeImage(f"{pin.name}:{pin.version}")


def control_plane(images: Images) -> Images:
    """The images of the control plane, in the same cache."""
    return replace(images, groups=(CONTROL_PLANE,))


def make_node_image(images: Images) -> OwnNodeImage:
    """The image, built if missing. Raises as the building of other images does.

    It is known by all that goes into it, so an engine that has it need not be given it again.
    """
    parts = control_plane(images)
    toolchain, cache = images.toolchain, images.cache
    tasks = [partial(parts.archive, recipe.name) for recipe in CONTROL_PLANE]
    side_by_side(
        [partial(make_system, cache, PACKAGES), partial(toolchain.binaries, "kind"), *tasks], at_most=_BUILDERS
    )
    base = make_system(cache, PACKAGES)
    archives = [parts.archive(recipe.name) for recipe in CONTROL_PLANE]
    commands = {module: toolchain.binaries(module) for module in ("kind", "stack")}
    inputs = (base.folder, *commands.values(), *(archive.parent for archive in archives))
    version = toolchain.version(KUBERNETES)
    key = digest(version, toolchain.version(_KIND), *(folder.name for folder in inputs), _RECIPE)
    reference = f"{_REPOSITORY}:{version}-{key}"

    def build(folder: Path) -> None:
        files, given = folder / "kind-files", folder / "archives"
        _copy_files(toolchain.module_dir(_KIND) / "images/base/files", files)
        given.mkdir()
        for archive in archives:
            (given / f"{archive.parent.name}.tar").hardlink_to(archive)
        image = Build(
            reference=reference,
            containerfile=_RECIPE / "Containerfile",
            context=_RECIPE,
            contexts={**commands, "kind-files": files},
            arguments={
                "ARCHIVES": str(given),
                "BASE": f"oci-archive:{base.archive}",
                "PAUSE": parts.reference("pause"),
                "VERSION": version,
            },
            mounts=(given,),
        )
        with doing(f"building kind's node image for Kubernetes {version}"):
            _to_docker_archive(image.to(folder), folder / _ARCHIVE, reference)
        shutil.rmtree(files)
        shutil.rmtree(given)

    return OwnNodeImage(reference, cache.entry("images", f"kind-node-{key}", build) / _ARCHIVE)


def _copy_files(source: Path, target: Path) -> None:
    """Copy a folder of Go's module cache, where all is read-only, folders included."""
    run(["cp", "--recursive", "--no-preserve=mode,ownership", source, target], timeout=_COPY_BOUND)


def _to_docker_archive(oci: Path, docker: Path, reference: str) -> None:
    """`docker load` of old engines knows no OCI archive."""
    copy = ("skopeo", "--insecure-policy", "copy", "--quiet")
    run([*copy, f"oci-archive:{oci}", f"docker-archive:{docker}:{reference}"], timeout=_COPY_BOUND)
    oci.unlink()
