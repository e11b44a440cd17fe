"""Every image the harness needs, by name: its reference, its archive, and a containerd root that has them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gitops_e2e.cache import Cache, digest
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.bases import make_base
from gitops_e2e.images.buildah import ARCHIVE, Build
from gitops_e2e.images.catalogue import DEMO, STACK, GoVersion, PackageVersion, Recipe, Release
from gitops_e2e.images.golden import make_golden_root
from gitops_e2e.images.side_by_side import side_by_side
from gitops_e2e.progress import doing
from gitops_e2e.toolchain import Toolchain

_REGISTRY = "gitops-e2e.local"
_BUILDERS = 2


class UnknownImage(HarnessError):
    """There is no recipe of that name."""


@dataclass(frozen=True)
class Images:
    """The images of the stack and the demo, built when first asked for and kept in the cache.

    A name is "argocd", or "product-api:0.9.0" where there are several releases. Methods raise UnknownImage for
    any other; those that build raise also NotRoot, PackagesMissing, TooLittleDisk and CommandFailed.
    """

    cache: Cache
    toolchain: Toolchain
    stack: tuple[Recipe, ...] = STACK
    demo: tuple[Recipe, ...] = DEMO

    def reference(self, name: str) -> str:
        """What pods call the image: "gitops-e2e.local/argocd:v3.2.11".

        The tag is the version inside; to know that of a Debian package, the image's base is made if missing.
        """
        recipe = self._recipe(name)
        return f"{_REGISTRY}/{recipe.name}:{self._version(recipe)}"

    def archive(self, name: str) -> Path:
        """The image as an OCI archive, built if missing."""
        return self._archive(self._recipe(name))

    def build_all(self) -> None:
        """Build what is missing of everything: commands and bases first, then images, two at a time."""
        recipes = self.stack + self.demo
        modules = dict.fromkeys(recipe.tools for recipe in recipes if recipe.tools)
        package_lists = dict.fromkeys(packages for recipe in recipes for packages in _bases(recipe).values())
        side_by_side(
            [
                *(partial(self.toolchain.binaries, module) for module in modules),
                *(partial(make_base, self.cache, packages) for packages in package_lists),
            ],
            at_most=_BUILDERS,
        )
        side_by_side([partial(self._archive, recipe) for recipe in recipes], at_most=_BUILDERS)

    def golden_root(self) -> Path:
        """A containerd root that holds the images of the stack, unpacked; clone it, never start anything on it."""
        return make_golden_root(self.cache, [self._archive(recipe) for recipe in self.stack])

    def _recipe(self, name: str) -> Recipe:
        for recipe in self.stack + self.demo:
            if recipe.key == name:
                return recipe
        known = ", ".join(recipe.key for recipe in self.stack + self.demo)
        raise UnknownImage(f"there is no image {name}", remedy=f"use one of: {known}")

    def _version(self, recipe: Recipe) -> str:
        match recipe.version:
            case GoVersion(module):
                return self.toolchain.version(module)
            case PackageVersion(package):
                return make_base(self.cache, recipe.packages).version(package)
            case Release(version):
                return version

    def _archive(self, recipe: Recipe) -> Path:
        version = self._version(recipe)
        bases = {argument: make_base(self.cache, packages) for argument, packages in _bases(recipe).items()}
        tools = {recipe.tools: self.toolchain.binaries(recipe.tools)} if recipe.tools else {}
        inputs = (*(base.folder for base in bases.values()), *tools.values())
        key = digest(
            *(_REGISTRY, recipe.key, version, *(folder.name for folder in inputs)),
            *(part for source in recipe.sources for part in (source, recipe.folder / source)),
        )

        def build(folder: Path) -> None:
            with doing(f"building image {recipe.name}:{version}"):
                context = folder / "context"
                _copy_sources(recipe, context)
                Build(
                    reference=f"{_REGISTRY}/{recipe.name}:{version}",
                    containerfile=context / recipe.containerfile,
                    context=context,
                    contexts=tools,
                    arguments={
                        "VERSION": version,
                        **{argument: f"oci-archive:{base.archive}" for argument, base in bases.items()},
                    },
                    mounts=recipe.mounts,
                ).to(folder)
                shutil.rmtree(context)

        return self.cache.entry("images", f"{recipe.name}-{key}", build) / ARCHIVE


def _bases(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The package lists of the bases, by the build argument that names the base in the Containerfile."""
    bases = {"BASE": recipe.packages, "RUNTIME_BASE": recipe.runtime_packages}
    return {argument: packages for argument, packages in bases.items() if packages}


def _copy_sources(recipe: Recipe, context: Path) -> None:
    context.mkdir()
    for source in recipe.sources:
        origin = recipe.folder / source
        if origin.is_dir():
            shutil.copytree(origin, context / source, dirs_exist_ok=True)
        else:
            shutil.copy2(origin, context / source)
