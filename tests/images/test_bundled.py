"""Archives of a bundle in the place of images of ours: found by either name, in the version that is pinned."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_e2e.bundle import Bundle, BundleError, ImageArchive
from gitops_e2e.cache import Cache
from gitops_e2e.images import Images
from gitops_e2e.images.bundled import Bundled
from gitops_e2e.images.catalogue import WITH_KARGO
from gitops_e2e.images.images import UnknownImage
from gitops_e2e.toolchain import Toolchain

NOWHERE = Cache(Path("/nonexistent"))
TOOLCHAIN = Toolchain(NOWHERE)


def bundle_of(*references: str) -> Bundle:
    archives = []
    for reference in references:
        name, _, tag = reference.rpartition(":")
        archives.append(ImageArchive(Path(f"/bundle/{tag}.tar"), "oci-archive", name, tag, "sha256:0"))
    return Bundle(Path("/bundle"), tuple(archives))


def images_with(*references: str) -> Images:
    return Images(NOWHERE, TOOLCHAIN, WITH_KARGO, bundle_of(*references))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("argocd", "quay.io/argoproj/argocd:v3.2.11"),
        ("argocd", "gitops-e2e.local/argocd:v3.2.11"),
        ("cert-manager-webhook", "quay.io/jetstack/cert-manager-webhook:v1.11.5"),
        ("argo-rollouts", "quay.io/argoproj/argo-rollouts:v1.9.2"),
        ("redis", "public.ecr.aws/docker/library/redis:8.2.2-alpine"),
        ("redis", "gitops-e2e.local/redis:8.0.2"),  # whatever version Debian had where it was made
        ("product-api:1.0.0", "gitops-e2e.local/product-api:1.0.0"),
        ("kargo", "ghcr.io/akuity/kargo:v1.8.4"),
    ],
)
def test_an_archive_stands_for_the_image_of_its_name(name: str, reference: str) -> None:
    images = images_with(reference)
    Bundled(images.bundle, TOOLCHAIN).check()
    assert images.reference(name) == reference
    assert name not in [recipe.key for recipe in images.recipes]
    assert len(images.recipes) == len(images_with().recipes) - (name != "kargo")


def test_of_several_releases_only_the_one_that_is_given_is_not_built() -> None:
    images = images_with("gitops-e2e.local/product-api:1.0.0")
    assert "product-api:0.9.0" in [recipe.key for recipe in images.recipes]
    assert "product-api:1.0.0" not in [recipe.key for recipe in images.recipes]


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        ("quay.io/argoproj/argocd:v3.2.10", "v3.2.11"),
        ("gitops-e2e.local/argocd:v3.3.0", "v3.2.11"),
        ("public.ecr.aws/docker/library/redis:8.2.3-alpine", "8.2.2-alpine"),
        ("ghcr.io/akuity/kargo:v1.8.3", "v1.8.4"),
        ("gitops-e2e.local/product-api:2.0.0", "0.9.0 or 1.0.0"),
    ],
)
def test_another_version_than_is_pinned_is_refused(reference: str, pinned: str) -> None:
    with pytest.raises(BundleError) as refused:
        Bundled(bundle_of(reference), TOOLCHAIN).check()
    assert refused.value.what == f"the bundle has {reference}, but {pinned} is what this stack is made for"
    assert refused.value.where == f"/bundle/{reference.rpartition(':')[2]}.tar"


def test_archives_of_other_images_are_told_and_left_alone() -> None:
    bundled = Bundled(bundle_of("docker.io/library/nginx:1", "ghcr.io/akuity/kargo:v1.8.4"), TOOLCHAIN)
    bundled.check()
    assert bundled.unknown() == ["docker.io/library/nginx:1"]


def test_what_can_neither_be_built_nor_pulled_has_to_be_in_the_bundle() -> None:
    with pytest.raises(UnknownImage, match=r"ghcr\.io/akuity/kargo:v1\.8\.4 is not in the bundle") as refused:
        images_with().archive("kargo")
    assert refused.value.remedy == "give it in a bundle, or allow it to be pulled, with --pull"
