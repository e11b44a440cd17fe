"""Which provider a run takes, and why; starting a cluster with it, or finding one that was kept."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.clusters.existing import permissions
from gitops_e2e.clusters.existing.cluster import Existing
from gitops_e2e.clusters.existing.contexts import Context
from gitops_e2e.clusters.existing.state import states as existing_states
from gitops_e2e.clusters.kind.cluster import Kind, Tools
from gitops_e2e.clusters.kind.engine import Engine
from gitops_e2e.clusters.kind.errors import EngineUnavailable
from gitops_e2e.clusters.kind.node_image import make_node_image, published_node_image
from gitops_e2e.clusters.kind.state import states as kind_states
from gitops_e2e.clusters.node import requirements
from gitops_e2e.clusters.node.node import Node
from gitops_e2e.clusters.node.state import Registry
from gitops_e2e.clusters.protocol import Cluster
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.kube import Kube
from gitops_e2e.machine.capacity import require_disk, require_memory
from gitops_e2e.machine.packages import require
from gitops_e2e.toolchain import Toolchain

# What a node with the stack and a pipeline or two takes, as measured, with some to spare.
_MEMORY = 4 * 2**30
_DISK = 2 * 2**30


class NoProvider(HarnessError):
    """No provider can run here, or the one that was asked for."""


@dataclass(frozen=True)
class Provider:
    """What provides the cluster, and why it was chosen. `context` is that of a cluster that exists."""

    name: str
    reason: str
    context: Context | None = None

    @staticmethod
    def choose(wanted: str) -> Provider:
        """The provider for `--cluster wanted`. Raises NoProvider."""
        if wanted == "kind":
            if no_kind := _no_kind_because():
                raise NoProvider(
                    f"kind cannot run here: {no_kind}",
                    remedy="start Docker; `make test-kind` starts an engine of its own where there is none",
                )
            return Provider("kind", "asked for")
        no_node = requirements.unavailable()
        if no_node is None:
            return Provider("node", "asked for" if wanted == "node" else "auto: the built-in node can run here")
        if wanted == "node":
            raise NoProvider(
                f"the built-in node cannot run here: {no_node.what}", where=no_node.where, remedy=no_node.remedy
            )
        if no_kind := _no_kind_because():
            raise NoProvider(
                f"the built-in node cannot run here: {no_node.what}; and neither can kind: {no_kind}",
                where=no_node.where,
                remedy=f"{no_node.remedy}; or start Docker",
            )
        why = f"auto: the built-in node cannot run here, as {no_node.what}; a Docker engine answers"
        return Provider("kind", why)

    @staticmethod
    def existing(context: Context, meant: str | None) -> Provider:
        """The provider for a cluster that exists; `meant` is what --yes-i-mean-it names. Raises ContextRefused."""
        because = context.permitted_because(meant, _our_servers())
        return Provider("existing", f"context {context.name} at {context.server}: {because}", context)

    def start(self, name: str, images: Images, toolchain: Toolchain) -> Cluster:
        """Build what is missing, and start a cluster that ends with this process unless it is kept.

        Raises TooLittleDisk or TooLittleMemory before anything is begun, and whatever building and starting raise.
        A cluster that exists is let go instead of ended, and needs no memory of this machine.
        """
        if self.context:
            return _take(name, self.context, images)
        require_disk(images.cache.root, _DISK, purpose="a cluster with the whole stack")
        require_memory(_MEMORY, purpose="a cluster with the whole stack")
        if self.name == "kind":
            return _start_kind(name, images, toolchain)
        require(*requirements.PACKAGES)
        images.build_all()
        golden = images.golden_root()
        return Node.start(name, binary=toolchain.binary, golden=golden, pause=images.reference("pause"))


def provider_of(name: str) -> str:
    """The name of the provider that a cluster is from, which runs or ran; that of the node for one nobody knows."""
    if existing_states().find(name):
        return Existing.provider
    return Kind.provider if kind_states().find(name) else Node.provider


def attach(name: str, toolchain: Toolchain) -> Cluster:
    """A cluster that an earlier run kept, or that another process of this run owns. Raises HarnessError."""
    match provider_of(name):
        case Existing.provider:
            return Existing.attach(name)
        case Kind.provider:
            return Kind.attach(name, Tools.of(toolchain))
        case _:
            return Node.attach(name)


def _our_servers() -> set[str]:
    """The API servers of the clusters that this machine has from us."""
    nodes = [state.layout.kubeconfig for state in Registry().all() if state.running]
    kinds = [state.kubeconfig for state in kind_states().all() if not state.dead]
    return {Context.read(file).server for file in [*nodes, *kinds] if file.exists()}


def _no_kind_because() -> str | None:
    try:
        return Engine.local().unavailable_because()
    except EngineUnavailable as error:
        return error.what


def _take(name: str, context: Context, images: Images) -> Cluster:
    cluster = Existing.take(name, context)
    try:
        permissions.require(Kube(cluster.kubeconfig))
        images.build_all()
    except BaseException:
        cluster.delete()
        raise
    return cluster


def _start_kind(name: str, images: Images, toolchain: Toolchain) -> Cluster:
    images.build_all()
    return Kind.start(
        name,
        engine=Engine.local(),
        tools=Tools.of(toolchain),
        image=published_node_image() if images.upstream else make_node_image(images),
        archives=[images.archive(name) for name in images.carried],
    )
