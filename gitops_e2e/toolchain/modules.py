"""The Go modules of `toolchain/`: which commands get another name, which variables carry a version.

Every other fact stands in their go.mod; a further module is a folder there and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "toolchain"

KUBERNETES = "k8s.io/kubernetes"


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
    """A folder of `toolchain/`.

    `names` maps a tool's package path to the name of its command, where the package's own says too little.
    `disk` and `memory` are the bytes that a build from nothing needs, as measured on two cores.
    """

    name: str
    disk: int
    memory: int
    names: Mapping[str, str] = field(default_factory=dict)
    stamps: tuple[Stamp, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return FOLDER / self.name


MODULES = (
    GoModule(
        "stack",
        disk=9 * 2**30,
        memory=4 * 2**30,
        names={
            "github.com/argoproj/argo-cd/v3/cmd": "argocd",
            "go.etcd.io/etcd/server/v3": "etcd",
        },
        stamps=(
            Stamp("k8s.io/component-base/version.gitVersion", KUBERNETES, "v{number}"),
            Stamp("k8s.io/component-base/version.gitMajor", KUBERNETES, "{major}"),
            Stamp("k8s.io/component-base/version.gitMinor", KUBERNETES, "{minor}"),
            Stamp("helm.sh/helm/v3/internal/version.version", "helm.sh/helm/v3", "v{number}"),
            # The Kubernetes that helm assumes when it is not told.
            Stamp("helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor", KUBERNETES, "{major}"),
            Stamp("helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor", KUBERNETES, "{minor}"),
            Stamp("github.com/argoproj/argo-cd/v3/common.version", "github.com/argoproj/argo-cd/v3", "{number}"),
            Stamp(
                "github.com/argoproj/argo-rollouts/utils/version.version",
                "github.com/argoproj/argo-rollouts",
                "{number}",
            ),
        ),
    ),
    GoModule(
        "cert-manager",
        disk=3 * 2**30,
        memory=2 * 2**30,
        names={
            "github.com/cert-manager/cert-manager/cmd/cainjector": "cert-manager-cainjector",
            "github.com/cert-manager/cert-manager/cmd/controller": "cert-manager-controller",
            "github.com/cert-manager/cert-manager/cmd/webhook": "cert-manager-webhook",
        },
        stamps=(
            Stamp(
                "github.com/cert-manager/cert-manager/pkg/util.AppVersion",
                "github.com/cert-manager/cert-manager",
                "v{number}",
            ),
        ),
    ),
)
