"""Every image the harness needs, by name: its reference, its archive, and a containerd root that has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gitops_e2e.bundle import Bundle
from gitops_e2e.cache import BYTE_CODE, Cache, digest
from gitops_e2e.commands import CommandFailed, CommandTimedOut
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.archiving import archived, pulled
from gitops_e2e.images.bases import make_base
from gitops_e2e.images.buildah import ARCHIVE, Build
from gitops_e2e.images.bundled import REGISTRY, Bundled
from gitops_e2e.images.catalogue import GROUPS, Foreign, GoVersion, PackageVersion, Recipe, Release
from gitops_e2e.images.golden import make_golden_root
from gitops_e2e.images.needs import BUILDING, LOADING
from gitops_e2e.images.python_packages import python_packages
from gitops_e2e.images.remote import RemoteRegistry
from gitops_e2e.machine.packages import require
from gitops_e2e.progress import doing
from gitops_e2e.side_by_side import side_by_side
from gitops_e2e.toolchain import Toolchain

_BUILDERS = 2


class UnknownImage(HarnessError):
    """There is no recipe of that name."""


class ImageBuildFailed(CommandFailed):
    """An image cannot be built from its recipe."""


@dataclass(frozen=True)
class Images:
    """The images of the stack and the demo: from the bundle, else built when first asked for and kept in the cache.

    What can be neither is pulled, where `pull` allows it. Where the cluster is `upstream`, so that it pulls images by
    itself, those that their projects publish in the version that is wanted are left to it, unless the bundle has them.

    A name is "argocd", or "product-api:0.9.0" where there are several releases. Methods raise UnknownImage for any
    other; those that build raise also NotRoot, PackagesMissing, TooLittleDisk and CommandFailed (BaseFailed or
    ImageBuildFailed, where it is the recipe that is wrong), and those that pull NotPulled.
    """

    cache: Cache
    toolchain: Toolchain
    groups: tuple[tuple[Recipe | Foreign, ...], ...] = GROUPS
    bundle: Bundle = field(default_factory=Bundle)
    pull: bool = False
    upstream: bool = False
    outside: RemoteRegistry | None = None
    """A registry that pods have the images from, after `push`; None: they are loaded into the nodes."""

    @property
    def names(self) -> tuple[str, ...]:
        """What every image is asked for by."""
        return tuple(image.key for image in self._every)

    @property
    def carried(self) -> tuple[str, ...]:
        """Those that have to be brought to the cluster, as it does not pull them."""
        return tuple(image.key for image in self._every if not self._is_pulled_there(image))

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """How every image is made that has to be built."""
        kept = (image for image in self._every if not self._is_pulled_there(image))
        return tuple(image for image in kept if isinstance(image, Recipe) and not self._given.find(image))

    def reference(self, name: str) -> str:
        """What pods call the image: "gitops-e2e.local/argocd:v3.2.11", or as it is called where it comes from.

        Where there is a registry outside, it is there. The tag is the version inside; to know that of a Debian package,
        the image's base is made if missing.
        """
        return f"{self.outside.place}/{self._pushed(name)}" if self.outside else self._loaded(name)

    def archive(self, name: str) -> Path:
        """The image as an OCI archive, built or pulled if missing."""
        return self._archive(self._image(name))

    def build_all(self) -> None:
        """Build what is missing of everything: packages, then commands and bases, then images, some side by side.

        What has to be pulled comes first, as it may not come at all.
        """
        for image in self._every:
            if isinstance(image, Foreign) and not self._is_pulled_there(image):
                self._archive(image)
        require(*BUILDING.packages, *LOADING.packages)
        modules = dict.fromkeys(module for recipe in self.recipes for module in recipe.tools)
        package_lists = dict.fromkeys(packages for recipe in self.recipes for packages in _bases(recipe).values())
        side_by_side(
            [
                *(partial(self.toolchain.binaries, module) for module in modules),
                *(partial(make_base, self.cache, packages) for packages in package_lists),
            ],
            at_most=_BUILDERS,
        )
        side_by_side([partial(self._built, recipe) for recipe in self.recipes], at_most=_BUILDERS)

    def push(self, names: Iterable[str], registry: RemoteRegistry) -> None:
        """Let a registry have these images. Raises CommandFailed where it does not take one."""
        for name in names:
            registry.push(self.archive(name), self._pushed(name))

    def golden_root(self) -> Path:
        """A containerd root with every image unpacked, so that pods start at once; nothing may ever write to it.

        Each group of images is added to a root that has those which change less often.
        """
        first, *others = ([self._archive(image) for image in group] for group in self.groups)
        root = make_golden_root(self.cache, first)
        for archives in others:
            root = make_golden_root(self.cache, archives, upon=root)
        return root

    def _loaded(self, name: str) -> str:
        image = self._image(name)
        if given := self._given.find(image):
            return given.reference
        if isinstance(image, Foreign):
            return image.reference
        if image.published and self._is_pulled_there(image):
            return f"{image.published.name}:{self._version(image)}"
        return f"{REGISTRY}/{image.name}:{self._version(image)}"

    def _pushed(self, name: str) -> str:
        """The image's repository and tag in a registry outside: its own name there, whoever made it."""
        return self._loaded(name).rpartition("/")[2]

    @property
    def _every(self) -> tuple[Recipe | Foreign, ...]:
        return tuple(image for group in self.groups for image in group)

    @property
    def _given(self) -> Bundled:
        return Bundled(self.bundle, self.toolchain)

    def _is_pulled_there(self, image: Recipe | Foreign) -> bool:
        if not self.upstream or self._given.find(image):
            return False
        return isinstance(image, Foreign) or (image.published is not None and not image.published.tag)

    def _image(self, name: str) -> Recipe | Foreign:
        for image in self._every:
            if image.key == name:
                return image
        known = ", ".join(self.names)
        raise UnknownImage(f"there is no image {name}", remedy=f"use one of: {known}")

    def _version(self, recipe: Recipe) -> str:
        match recipe.version:
            case GoVersion(module):
                return self.toolchain.version(module)
            case PackageVersion(package):
                return make_base(self.cache, recipe.packages).version(package)
            case Release(version):
                return version

    def _archive(self, image: Recipe | Foreign) -> Path:
        if given := self._given.find(image):
            return archived(self.cache, given)
        return self._pulled(image) if isinstance(image, Foreign) else self._built(image)

    def _pulled(self, image: Foreign) -> Path:
        if not self.pull:
            raise UnknownImage(
                f"image {image.reference} is not in the bundle, and cannot be built here",
                remedy="give it in a bundle, or allow it to be pulled, with --pull",
            )
        return pulled(self.cache, image.reference)

    def _built(self, recipe: Recipe) -> Path:
        version = self._version(recipe)
        bases = {argument: make_base(self.cache, packages) for argument, packages in _bases(recipe).items()}
        contexts = {module: self.toolchain.binaries(module) for module in recipe.tools} | self._python(recipe)
        arguments = {"VERSION": version, **dict(recipe.arguments)}
        inputs = (*(base.folder for base in bases.values()), *contexts.values())
        names = (recipe.key, *arguments.values(), *(folder.name for folder in inputs))
        key = digest(REGISTRY, *names, *_sources(recipe))

        def build(folder: Path) -> None:
            context = folder / "context"
            image = Build(
                reference=f"{REGISTRY}/{recipe.name}:{version}",
                containerfile=context / recipe.containerfile,
                context=context,
                contexts=contexts,
                arguments=arguments | {name: f"oci-archive:{base.archive}" for name, base in bases.items()},
                mounts=recipe.mounts,
            )
            with doing(f"building image {recipe.name}:{version}"):
                _copy_sources(recipe, context)
                _build(recipe, image, folder)
                shutil.rmtree(context)

        return self.cache.entry("images", f"{recipe.name}-{key}", build) / ARCHIVE

    def _python(self, recipe: Recipe) -> dict[str, Path]:
        if recipe.requirements is None:
            return {}
        major, minor, *_ = make_base(self.cache, recipe.packages).version("python3").split(".")
        return {"python-packages": python_packages(self.cache, recipe.requirements, f"{major}.{minor}")}


def _build(recipe: Recipe, image: Build, folder: Path) -> None:
    try:
        image.to(folder)
    except CommandTimedOut:
        raise
    except CommandFailed as error:
        raise ImageBuildFailed(
            f"image {recipe.key} cannot be built from {recipe.folder / recipe.containerfile}",
            output=error.output,
            remedy="mend what the last lines complain of, and run again",
        ) from error


def _bases(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The package lists of the bases, by the build argument that names the base in the Containerfile."""
    bases = {"BASE": recipe.packages, "RUNTIME_BASE": recipe.runtime_packages}
    return {argument: packages for argument, packages in bases.items() if packages}


def _sources(recipe: Recipe) -> Iterator[str | Path]:
    """What a build sees of the recipe's folder: each file or folder, after its name."""
    for source in recipe.sources:
        path = recipe.folder / source
        if not path.exists():
            raise ImageBuildFailed(
                f"image {recipe.key} cannot be built, as there is no {path}",
                output="",
                remedy="bring the file back, or take it out of the recipe's sources in gitops_e2e/images/catalogue.py",
            )
        yield from (source, path)


def _copy_sources(recipe: Recipe, context: Path) -> None:
    context.mkdir()
    for source in recipe.sources:
        origin = recipe.folder / source
        if origin.is_dir():
            shutil.copytree(origin, context / source, dirs_exist_ok=True, ignore=shutil.ignore_patterns(BYTE_CODE))
        else:
            (context / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, context / source)
