from __future__ import annotations

import re

import pytest

from gitops_e2e.images.catalogue import DEMO, ENGINE, GROUPS, RECIPES_FOLDER, STACK, Recipe

EVERY = tuple(recipe for group in GROUPS for recipe in group)
each_recipe = pytest.mark.parametrize("recipe", EVERY, ids=lambda recipe: recipe.key)

# Upstream's manifests run these as "not root", which the kubelet can tell of a numeric user only.
NOT_ROOT = {"argocd", "argo-rollouts", "cert-manager-controller", "cert-manager-cainjector", "cert-manager-webhook"}


def text(recipe: Recipe) -> str:
    return (recipe.folder / recipe.containerfile).read_text()


def last_stage(recipe: Recipe) -> str:
    return re.split(r"^FROM .*$", text(recipe), flags=re.MULTILINE)[-1]


def test_the_images_that_the_parts_agreed_on_are_there() -> None:
    assert {recipe.key for recipe in STACK} == NOT_ROOT | {
        "coredns",
        "git-server",
        "pause",
        "prometheus",
        "redis",
        "registry",
    }
    assert {recipe.name for recipe in ENGINE} == {"promoter"}
    assert {recipe.key for recipe in DEMO} == {
        "product-api:0.9.0",
        "product-api:1.0.0",
        "stress",
        "hey",
        "approval:1.0.0",
        "haproxy",
    }


def test_every_folder_of_a_recipe_belongs_to_an_image() -> None:
    assert {folder.name for folder in RECIPES_FOLDER.iterdir()} == {
        recipe.name for recipe in EVERY if (recipe.folder / recipe.containerfile).is_relative_to(RECIPES_FOLDER)
    }


@each_recipe
def test_all_that_a_recipe_names_is_there(recipe: Recipe) -> None:
    assert [source for source in recipe.sources if not (recipe.folder / source).exists()] == []
    assert text(recipe)


@each_recipe
def test_a_containerfile_is_given_the_bases_it_asks_for(recipe: Recipe) -> None:
    asked = {name for name in ("BASE", "RUNTIME_BASE") if f"${{{name}}}" in text(recipe)}
    given = {"BASE"} | ({"RUNTIME_BASE"} if recipe.runtime_packages else set())
    assert given == asked


@each_recipe
def test_a_containerfile_copies_only_from_its_stages_and_its_go_module(recipe: Recipe) -> None:
    copied = set(re.findall(r"^COPY --from=(\S+)", text(recipe), flags=re.MULTILINE))
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text(recipe), flags=re.MULTILINE))
    assert copied - stages == {*recipe.tools, *(["python-packages"] if recipe.requirements else [])}


@each_recipe
def test_nothing_is_pulled(recipe: Recipe) -> None:
    bases = re.findall(r"^FROM (\S+)", text(recipe), flags=re.MULTILINE)
    assert set(bases) <= {"scratch", "${BASE}", "${RUNTIME_BASE}"}


@each_recipe
def test_a_user_is_a_number(recipe: Recipe) -> None:
    users = re.findall(r"^USER (\S+)", last_stage(recipe), flags=re.MULTILINE)
    assert all(re.fullmatch(r"\d+(:\d+)?", user) for user in users)
    if recipe.name in NOT_ROOT:
        assert users
        assert users[-1] != "0"
