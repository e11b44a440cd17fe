from __future__ import annotations

import pytest

from gitops_e2e.pipeline.names import REGISTRY, InvalidPipelineId, PipelineNames


def test_names_of_a_pipeline() -> None:
    names = PipelineNames("shop")
    assert names.namespace("prod") == "shop-prod"
    assert names.application("prod") == "shop-prod"
    assert names.branch("prod") == "stage/prod"
    assert names.image_repository() == "registry.gitops-e2e.svc.cluster.local:5000/shop/product-api"
    assert names.image_path("stress") == "shop/stress"


def test_a_private_pipeline_differs_in_its_git_repository_alone() -> None:
    text = "https://git.example/kargo-demo.git kargo-demo-dev kargo-demo/product-api"
    assert PipelineNames("shop").within(text) == "https://git.example/shop.git shop-dev shop/product-api"
    private = PipelineNames("shop", private=True)
    assert private.repository == "private/shop"
    assert private.within(text) == "https://git.example/private/shop.git shop-dev shop/product-api"


def test_all_images_of_a_pipeline_are_where_its_registry_is() -> None:
    text = f"{REGISTRY}/kargo-demo/product-api:0.9.0 {REGISTRY}/kargo-demo/stress:1"
    outside = PipelineNames("shop", registry="example.com/team")
    assert outside.within(text) == "example.com/team/shop/product-api:0.9.0 example.com/team/shop/stress:1"
    assert outside.image_repository("stress") == "example.com/team/shop/stress"


@pytest.mark.parametrize("good", ["a", "kargo-demo", "p1", "a" * 30])
def test_ids_that_can_be_names(good: str) -> None:
    assert PipelineNames(good).id == good


@pytest.mark.parametrize(
    "bad", ["", "Shop", "1shop", "-shop", "shop-", "my_shop", "my.shop", "a/b", "a b", "a" * 31, "é", "shop\n"]
)
def test_ids_that_cannot_be_names(bad: str) -> None:
    with pytest.raises(InvalidPipelineId, match="cannot be the id"):
        PipelineNames(bad)
