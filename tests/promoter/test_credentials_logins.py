"""Logins on a real API server: which Secret is for which repository, and what is in it."""

from __future__ import annotations

import logging

import pytest

from gitops_e2e.kube import Kube
from gitops_e2e.promoter.credentials import BadCredentials, Login, Logins
from gitops_e2e.promoter.credentials.logins import RepositoryType

pytestmark = pytest.mark.node

GIT = "https://git.example.com/demo/deploy.git"
IMAGE = "registry.example.com:5000/demo/api"


class Secrets:
    """Makes labelled Secrets in one namespace."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace

    def add(self, name: str, kind: str = "git", **data: str) -> None:
        labels = {"kargo.akuity.io/cred-type": kind}
        metadata = {"name": name, "namespace": self.namespace, "labels": labels}
        self.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})

    def add_user(self, name: str, url: str, kind: str = "git", **data: str) -> None:
        self.add(name, kind, repoURL=url, username=name, password="secret", **data)

    def user_for(self, url: str, kind: RepositoryType = "git", *, over_http: bool = False) -> str:
        """The name in the login for a repository, empty for "without"."""
        login = Logins(self.kube, kind, over_http=over_http).find(self.namespace, url)
        return login.username if login else ""


@pytest.fixture
def secrets(kube: Kube, namespace: str) -> Secrets:
    return Secrets(kube, namespace)


@pytest.mark.parametrize(
    ("kind", "of_secret", "of_repository"),
    [
        ("git", GIT, GIT),
        ("git", "https://Git.example.com/demo/deploy", GIT),
        ("git", "https://someone@git.example.com/demo/deploy/", GIT),
        ("git", "git@git.example.com:demo/deploy.git", "ssh://git@git.example.com/demo/deploy"),
        ("image", IMAGE, IMAGE),
        ("image", "docker.io/library/nginx", "nginx"),
        ("image", "bitnami/redis", "index.docker.io/bitnami/redis"),
        ("helm", "oci://ghcr.io/demo/charts/api", "oci://GHCR.io/demo/charts/api"),
        ("helm", "https://charts.example.com", "https://charts.example.com"),
    ],
)
def test_addresses_are_compared_in_one_spelling(
    secrets: Secrets, kind: RepositoryType, of_secret: str, of_repository: str
) -> None:
    secrets.add_user("known", of_secret, kind)
    assert secrets.user_for(of_repository, kind) == "known"


@pytest.mark.parametrize(
    ("kind", "of_secret", "of_repository"),
    [
        ("git", "https://git.example.com", GIT),
        ("git", "https://git.example.com/demo", GIT),
        ("git", "https://git.example.com/demo/deploy-2", GIT),
        ("git", "ssh://git@git.example.com/demo/deploy", GIT),
        ("image", "registry.example.com:5000", IMAGE),
        ("image", "registry.example.com:5000/", IMAGE),
        ("image", "registry.example.com:5000/demo", IMAGE),
        ("image", "registry.example.com/demo/api", IMAGE),
        ("image", "ghcr.io/nginx", "nginx"),
    ],
)
def test_a_part_of_an_address_is_not_enough(
    secrets: Secrets, kind: RepositoryType, of_secret: str, of_repository: str
) -> None:
    secrets.add_user("other", of_secret, kind)
    assert secrets.user_for(of_repository, kind) == ""


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("git.example.com", GIT),
        ("^https://git\\.example\\.com/", GIT),
        ("deploy\\.git$", GIT),
        ("^https://git\\.example\\.com/demo/deploy$", GIT),  # as it is compared
        ("^https://Git", "https://Git.example.com/demo/x"),  # as it is written
        ("(?i)GIT", GIT),
    ],
)
def test_a_pattern_is_looked_for_in_either_spelling(secrets: Secrets, pattern: str, url: str) -> None:
    secrets.add_user("patterned", pattern, repoURLIsRegex="true")
    assert secrets.user_for(url) == "patterned"


def test_a_pattern_is_none_unless_the_secret_says_so(secrets: Secrets) -> None:
    secrets.add_user("plain", ".*")
    secrets.add_user("said-no", ".*", repoURLIsRegex="false")
    assert secrets.user_for(GIT) == ""


def test_patterns_are_those_of_re2(secrets: Secrets, caplog: pytest.LogCaptureFixture) -> None:
    secrets.add_user("a-lookahead", "git(?=\\.example)", repoURLIsRegex="true")
    with caplog.at_level(logging.WARNING):
        assert secrets.user_for(GIT) == ""
    assert "a-lookahead: repoURL 'git(?=\\\\.example)' is no regular expression: invalid perl operator" in caplog.text
    secrets.add_user("b-exact", GIT)
    assert secrets.user_for(GIT) == "b-exact"


def test_the_first_by_name_is_taken_whether_address_or_pattern(secrets: Secrets) -> None:
    secrets.add_user("b-exact", GIT)
    secrets.add_user("a-pattern", "example", repoURLIsRegex="true")
    secrets.add_user("c-exact", GIT)
    assert secrets.user_for(GIT) == "a-pattern"


def test_only_secrets_with_the_label_of_the_type_count(secrets: Secrets) -> None:
    secrets.add_user("a-generic", GIT, "generic")
    secrets.add_user("b-image", GIT, "image")
    secrets.add("c-without-address", username="u", password="p")
    assert secrets.user_for(GIT) == ""
    secrets.add_user("d-git", GIT)
    assert secrets.user_for(GIT) == "d-git"


def test_nothing_is_given_over_http_unless_allowed(secrets: Secrets, caplog: pytest.LogCaptureFixture) -> None:
    url = "http://git.example.com/demo/deploy.git"
    secrets.add_user("plain", url)
    with caplog.at_level(logging.WARNING):
        assert secrets.user_for(url) == ""
    assert url in caplog.text
    assert secrets.user_for(url, over_http=True) == "plain"
    secrets.add_user("image", IMAGE, "image")
    assert secrets.user_for(IMAGE, "image") == "image"  # has no scheme, whatever the registry speaks


def test_global_namespaces_come_after_the_project(kube: Kube, secrets: Secrets) -> None:
    def user() -> str:
        login = Logins(kube, "git", global_namespaces=[shared.namespace]).find(secrets.namespace, GIT)
        return login.username if login else ""

    shared = Secrets(kube, f"{secrets.namespace}-shared")
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shared.namespace}})
    shared.add_user("a-shared", GIT)
    assert user() == "a-shared"
    assert secrets.user_for(GIT) == ""
    secrets.add_user("own", GIT)
    assert user() == "own"


def test_a_key_will_do_and_half_a_login_will_not(kube: Kube, secrets: Secrets) -> None:
    ssh = "git@git.example.com:demo/deploy.git"
    secrets.add("key", repoURL=ssh, sshPrivateKey="-----BEGIN")
    secrets.add("half", repoURL=GIT, username="u")
    logins = Logins(kube, "git")
    assert logins.find(secrets.namespace, ssh) == Login(ssh_private_key="-----BEGIN")
    assert logins.find(secrets.namespace, GIT) is None


def test_what_the_engine_cannot_use_is_an_error(secrets: Secrets) -> None:
    secrets.add("app", repoURL=GIT, githubAppClientID="1", githubAppPrivateKey="k", githubAppInstallationID="2")
    with pytest.raises(BadCredentials, match="not supported by the embedded engine: credentials for GitHub Apps"):
        secrets.user_for(GIT)


def test_a_login_does_not_show_its_secrets() -> None:
    assert "hidden" not in repr(Login("user", "hidden", "hidden"))
