"""Which images there are, what each is made from, and where its version comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_e2e import promoter

RECIPES_FOLDER = Path(__file__).parent / "recipes"
PRODUCT_API_FOLDER = Path(__file__).parents[2] / "product-api"
PACKAGE_FOLDER = Path(__file__).parents[1]

KARGO_IMAGE = "ghcr.io/akuity/kargo"
"""What Kargo's chart calls its image."""

_FILES = ("base-files", "base-passwd", "ca-certificates")
# Every list costs a base, so images that differ by a small package share one.
_ESSENTIALS = (*_FILES, "catatonit", "stress")
_SHELL = (*_FILES, "coreutils", "dash")
_GIT = (*_SHELL, "git", "lighttpd", "lighttpd-mod-openssl", "tini")
# util-linux has setpriv, by which the engine's git and helm end with it.
_PYTHON = (*_SHELL, "git", "libstdc++6", "python3", "tini", "util-linux")
# How this machine reaches the npm registry, where it does so in a way of its own.
_REACHING_NPM = (Path("/etc/ssl/certs"), Path("/etc/npmrc"), Path("/root/.npmrc"))


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
class Published:
    """An image as its own project publishes it: what manifests and charts of that project call it.

    `tag` is the version that is wanted, where that is another than the one that is built here.
    """

    name: str
    tag: str = ""


@dataclass(frozen=True)
class Foreign:
    """An image that cannot be built here: it is given in a bundle, or pulled."""

    name: str
    published: Published

    @property
    def key(self) -> str:
        """What the image is asked for by."""
        return self.name

    @property
    def reference(self) -> str:
        """Name and tag, as it is published."""
        return f"{self.published.name}:{self.published.tag}"


@dataclass(frozen=True)
class Recipe:
    """How one image is made.

    `packages` are the Debian packages of the base that its Containerfile has as build argument BASE, beside VERSION,
    and `runtime_packages`, where there are any, those of RUNTIME_BASE. `tools` are Go modules of `toolchain/`, from
    which the Containerfile may `COPY --from` by their names; `requirements` is a file of Python packages, pinned by
    hash, which are in `python-packages`. `arguments` are further build arguments. `folder` holds the Containerfile;
    `sources` are the files and folders in it that the build sees, so that nothing else there has an influence.
    `mounts` are files of this machine that a RUN sees, where they exist. `published` is the image of its own project,
    which may be given in a bundle instead.
    """

    name: str
    version: GoVersion | PackageVersion | Release
    packages: tuple[str, ...]
    runtime_packages: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    requirements: Path | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    elsewhere: Path | None = None
    sources: tuple[str, ...] = (".",)
    containerfile: str = "Containerfile"
    mounts: tuple[Path, ...] = ()
    published: Published | None = None

    @property
    def key(self) -> str:
        """What the image is asked for by; the release is in it where there are several: "product-api:0.9.0"."""
        return f"{self.name}:{self.version.version}" if isinstance(self.version, Release) else self.name

    @property
    def folder(self) -> Path:
        """Where the Containerfile and its sources are."""
        return self.elsewhere or RECIPES_FOLDER / self.name


def _cert_manager(command: str) -> Recipe:
    module = GoVersion("github.com/cert-manager/cert-manager")
    published = Published(f"quay.io/jetstack/cert-manager-{command}")
    return Recipe(f"cert-manager-{command}", module, _ESSENTIALS, tools=("cert-manager",), published=published)


def _product_api(version: str) -> Recipe:
    return Recipe(
        "product-api",
        Release(version),
        packages=(*_SHELL, "nodejs", "npm"),
        runtime_packages=(*_SHELL, "nodejs"),
        elsewhere=PRODUCT_API_FOLDER,
        sources=("Dockerfile", "build", "package.json", "package-lock.json", "src"),
        containerfile="Dockerfile",
        mounts=_REACHING_NPM,
    )


STACK = (
    Recipe("pause", PackageVersion("catatonit"), _ESSENTIALS),
    Recipe("coredns", GoVersion("github.com/coredns/coredns"), _ESSENTIALS, tools=("stack",)),
    Recipe(
        "argo-rollouts",
        GoVersion("github.com/argoproj/argo-rollouts"),
        _ESSENTIALS,
        tools=("stack",),
        published=Published("quay.io/argoproj/argo-rollouts"),
    ),
    _cert_manager("controller"),
    _cert_manager("cainjector"),
    _cert_manager("webhook"),
    Recipe(
        "argocd",
        GoVersion("github.com/argoproj/argo-cd/v3"),
        _GIT,
        tools=("stack",),
        published=Published("quay.io/argoproj/argocd"),
    ),
    Recipe(
        "redis",
        PackageVersion("redis-server"),
        (*_SHELL, "redis-server"),
        published=Published("public.ecr.aws/docker/library/redis", "8.2.2-alpine"),
    ),
    Recipe("prometheus", PackageVersion("prometheus"), (*_SHELL, "prometheus")),
    Recipe("registry", PackageVersion("docker-registry"), (*_SHELL, "docker-registry")),
    Recipe("git-server", PackageVersion("git"), _GIT),
)
DEMO = (
    _product_api("0.9.0"),
    _product_api("1.0.0"),
    Recipe("stress", PackageVersion("stress"), _ESSENTIALS),
    Recipe("hey", PackageVersion("hey"), (*_FILES, "hey")),
    Recipe("haproxy", PackageVersion("haproxy"), (*_SHELL, "haproxy")),
    Recipe(
        "approval",
        Release("1.0.0"),
        _PYTHON,
        elsewhere=PACKAGE_FOLDER,
        sources=("approval.py", "images/recipes/approval/Containerfile"),
        containerfile="images/recipes/approval/Containerfile",
    ),
)
ENGINE = (
    Recipe(
        "promoter",
        Release(promoter.VERSION),
        packages=_PYTHON,
        tools=("stack", "expr"),
        requirements=RECIPES_FOLDER / "promoter/requirements.txt",
        arguments=(("KARGO_VERSION", promoter.KARGO_VERSION),),
        elsewhere=PACKAGE_FOLDER,
        sources=(
            "__init__.py",
            "commands.py",
            "deeds.py",
            "errors.py",
            "kube",
            "promoter",
            "images/recipes/promoter/Containerfile",
        ),
        containerfile="images/recipes/promoter/Containerfile",
    ),
)
KARGO = (Foreign("kargo", Published(KARGO_IMAGE, f"v{promoter.KARGO_VERSION}")),)
GROUPS = (STACK, DEMO, ENGINE)
"""All recipes, those first that change least."""
RELEASED = frozenset(recipe.name for recipe in DEMO if isinstance(recipe.version, Release))
"""The images that there may be several releases of."""
WITH_KARGO = (STACK, DEMO, KARGO)
"""The same, with Kargo in the engine's place."""
