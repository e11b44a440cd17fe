"""Where a repository is, and whether its registry may be spoken to without TLS."""

from __future__ import annotations

import pytest

from gitops_e2e.promoter.api.urls import normalized_chart_url
from gitops_e2e.promoter.warehouses.registries import Repository


@pytest.mark.parametrize(
    ("url", "host", "path", "name"),
    [
        ("nginx", "index.docker.io", "library/nginx", "nginx"),
        ("library/nginx", "index.docker.io", "library/nginx", "nginx"),
        ("docker.io/nginx", "index.docker.io", "library/nginx", "nginx"),
        ("index.docker.io/library/nginx", "index.docker.io", "library/nginx", "nginx"),
        ("bitnami/redis", "index.docker.io", "bitnami/redis", "bitnami/redis"),
        ("ghcr.io/demo/api", "ghcr.io", "demo/api", "ghcr.io/demo/api"),
        ("localhost/api", "localhost", "api", "localhost/api"),
        ("host:5000/a/b/c", "host:5000", "a/b/c", "host:5000/a/b/c"),
    ],
)
def test_an_address_has_a_host_and_a_path(url: str, host: str, path: str, name: str) -> None:
    assert Repository.parse(url) == Repository(host, path, name)


@pytest.mark.parametrize(
    "host",
    [
        "10.231.0.2:5000",
        "172.16.0.1",
        "172.31.255.255:80",
        "192.168.1.1:5000",
        "127.0.0.1:5000",
        "localhost:5000",
        "registry.gitops-e2e.svc.cluster.local:5000",
        "registry.local",
        "registry.localhost:5000",
    ],
)
def test_private_and_local_registries_may_speak_http(host: str) -> None:
    assert Repository(host, "a", "a").schemes == ("https", "http")


@pytest.mark.parametrize(
    "host",
    [
        "ghcr.io",
        "registry.gitops-e2e.svc:5000",
        "registry:5000",
        "172.32.0.1:5000",
        "11.0.0.1",
        "8.8.8.8:5000",
        "registry.local.example.com",
        "registry.local:5000000",
        "localhost.example.com",
    ],
)
def test_all_others_must_speak_https(host: str) -> None:
    assert Repository(host, "a", "a").schemes == ("https",)


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("https://Charts.example.com/stable/", "https://charts.example.com/stable/"),
        ("oci://ghcr.io/Demo/charts/api", "ghcr.io/demo/charts/api"),
        ("oci://docker.io/library/chart", "chart"),
        ("oci://registry-1.docker.io/bitnamicharts/redis", "bitnamicharts/redis"),
    ],
)
def test_chart_repositories(url: str, normalized: str) -> None:
    assert normalized_chart_url(url) == normalized
