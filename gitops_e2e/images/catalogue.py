"""Which images there are, what each is made from, and where its version comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RECIPES_FOLDER = Path(__file__).parent / "recipes"
PRODUCT_API_FOLDER = Path(__file__).parents[2] / "product-api"

_FILES = ("base-files", "base-passwd", "ca-certificates")
# What an image copies from that holds nothing but a static command.
_ESSENTIALS = (*_FILES, "catatonit")
_SHELL = (*_FILES, "coreutils", "dash")


@dataclass(frozen=True)
class GoVersion:
    """The version of a Go module that the toolchain pins."""

    module: str


@dataclass(frozen=True)
class PackageVersion:
    """The version of a Debian package in the image's base."""

    package: str


@dataclass(frozen=True)
class Release:
    """A release of this repository's own software."""

    version: str


@dataclass(frozen=True)
class Recipe:
    """How one image is made.

    `key` is what users of this package call it. `packages` are the Debian packages of its base, which the
    Containerfile has as build argument BASE, beside VERSION. `tools` names a Go module of `toolchain/`
    whose commands the Containerfile can `COPY --from` by that name. `folder` holds the Containerfile, and
    `sources` are the files and folders in it that are the build context: what else lies there has no influence.
    """

    name: str
    version: GoVersion | PackageVersion | Release
    packages: tuple[str, ...]
    tools: str | None = None
    folder_elsewhere: Path | None = None
    sources: tuple[str, ...] = (".",)
    containerfile: str = "Containerfile"

    @property
    def key(self) -> str:
        """The name, with the release where there can be several: "argocd", "product-api:0.9.0"."""
        return f"{self.name}:{self.version.version}" if isinstance(self.version, Release) else self.name

    @property
    def folder(self) -> Path:
        """Where the sources are."""
        return self.folder_elsewhere or RECIPES_FOLDER / self.name


def _cert_manager(command: str) -> Recipe:
    module = GoVersion("github.com/cert-manager/cert-manager")
    return Recipe(f"cert-manager-{command}", module, _ESSENTIALS, tools="cert-manager")


def _product_api(version: str) -> Recipe:
    return Recipe(
        "product-api",
        Release(version),
        (*_SHELL, "nodejs", "npm"),
        folder_elsewhere=PRODUCT_API_FOLDER,
        sources=("Dockerfile", "package.json", "package-lock.json", "tsconfig.json", "src"),
        containerfile="Dockerfile",
    )


STACK = (
    Recipe("pause", PackageVersion("catatonit"), _ESSENTIALS),
    Recipe("coredns", GoVersion("github.com/coredns/coredns"), _ESSENTIALS, tools="stack"),
    Recipe("argo-rollouts", GoVersion("github.com/argoproj/argo-rollouts"), _ESSENTIALS, tools="stack"),
    _cert_manager("controller"),
    _cert_manager("cainjector"),
    _cert_manager("webhook"),
    Recipe("argocd", GoVersion("github.com/argoproj/argo-cd/v3"), (*_SHELL, "git", "tini"), tools="stack"),
    Recipe("redis", PackageVersion("redis-server"), (*_SHELL, "redis-server")),
    Recipe("prometheus", PackageVersion("prometheus"), (*_SHELL, "prometheus")),
    Recipe("registry", PackageVersion("docker-registry"), (*_SHELL, "docker-registry")),
    Recipe("git-server", PackageVersion("git"), (*_SHELL, "git", "lighttpd", "lighttpd-mod-openssl")),
)
DEMO = (
    _product_api("0.9.0"),
    _product_api("1.0.0"),
    Recipe("stress", PackageVersion("stress"), (*_ESSENTIALS, "stress")),
)
