"""Images of the control plane, of the commands that the built-in node runs, too: kubeadm starts it as pods."""

from __future__ import annotations

from pathlib import Path

from gitops_e2e.images.catalogue import STACK, GoVersion, Recipe

FOLDER = Path(__file__).parent / "images"
KUBERNETES = "k8s.io/kubernetes"
ETCD = "go.etcd.io/etcd/server/v3"


def _command(name: str, module: str = KUBERNETES) -> Recipe:
    return Recipe(
        name,
        GoVersion(module),
        packages=(),
        tools=("stack",),
        arguments=(("COMMAND", name),),
        elsewhere=FOLDER / "command",
    )


CONTROL_PLANE = (
    _command("kube-apiserver"),
    _command("kube-controller-manager"),
    _command("kube-scheduler"),
    _command("etcd", ETCD),
    Recipe(
        "kube-proxy",
        GoVersion(KUBERNETES),
        packages=("base-files", "base-passwd", "ca-certificates", "nftables"),
        tools=("stack",),
        elsewhere=FOLDER / "kube-proxy",
    ),
    next(recipe for recipe in STACK if recipe.name == "pause"),
)
