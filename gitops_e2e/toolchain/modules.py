"""The Go modules of `toolchain/`: which commands get another name, which variables carry a version.

Every other fact stands in their go.mod; a further module is a folder there and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TOOLCHAIN = Path(__file__).parents[2] / "toolchain"
_KUBERNETES = "k8s.io/kubernetes"
_ARGO_CD = "github.com/argoproj/argo-cd/v3"
_ARGO_ROLLOUTS = "github.com/argoproj/argo-rollouts"
_CERT_MANAGER = "github.com/cert-manager/cert-manager"
_HELM = "helm.sh/helm/v3"


@dataclass(frozen=True)
class Stamp:
    """A Go variable that upstream's own build sets to a version.

    `form` may use {major}, {minor} and {number} ("1.34.4") of the version of `module`.
    """

    variable: str
    module: str
    form: str

    def text(self, version: str) -> str:
        """The variable's value for a version such as "v1.34.4"."""
        number = version.removeprefix("v")
        major, minor, _ = number.split(".", 2)
        return self.form.format(number=number, major=major, minor=minor)


@dataclass(frozen=True)
class GoModule:
    """A folder with a go.mod, by which name it goes.

    `names` maps a tool's package path to the name of its command, where the package's own says too little.
    `disk` and `memory` are the bytes that a build from nothing needs, as measured on two cores.
    """

    folder: Path
    disk: int
    memory: int
    names: Mapping[str, str] = field(default_factory=dict)
    stamps: tuple[Stamp, ...] = ()

    @property
    def name(self) -> str:
        """What others call it: "stack"."""
        return self.folder.name


_KUBERNETES_STAMPS = (
    Stamp("k8s.io/component-base/version.gitVersion", _KUBERNETES, "v{number}"),
    Stamp("k8s.io/component-base/version.gitMajor", _KUBERNETES, "{major}"),
    Stamp("k8s.io/component-base/version.gitMinor", _KUBERNETES, "{minor}"),
)

MODULES = (
    GoModule(
        _TOOLCHAIN / "stack",
        disk=9 * 2**30,
        memory=4 * 2**30,
        names={f"{_ARGO_CD}/cmd": "argocd", "go.etcd.io/etcd/server/v3": "etcd"},
        stamps=(
            *_KUBERNETES_STAMPS,
            Stamp(f"{_ARGO_CD}/common.version", _ARGO_CD, "{number}"),
            Stamp(f"{_ARGO_ROLLOUTS}/utils/version.version", _ARGO_ROLLOUTS, "{number}"),
            Stamp(f"{_HELM}/internal/version.version", _HELM, "v{number}"),
            # The Kubernetes that helm takes a chart to be for when it is not told.
            Stamp(f"{_HELM}/pkg/chartutil.k8sVersionMajor", _KUBERNETES, "{major}"),
            Stamp(f"{_HELM}/pkg/chartutil.k8sVersionMinor", _KUBERNETES, "{minor}"),
        ),
    ),
    GoModule(
        _TOOLCHAIN / "cert-manager",
        disk=3 * 2**30,
        memory=2 * 2**30,
        names={
            f"{_CERT_MANAGER}/cmd/{name}": f"cert-manager-{name}" for name in ("cainjector", "controller", "webhook")
        },
        stamps=(Stamp(f"{_CERT_MANAGER}/pkg/util.AppVersion", _CERT_MANAGER, "v{number}"),),
    ),
    GoModule(_TOOLCHAIN / "expr", disk=2**29, memory=2**29),
    GoModule(_TOOLCHAIN / "kind", disk=2 * 2**30, memory=2 * 2**30, stamps=_KUBERNETES_STAMPS),
)
