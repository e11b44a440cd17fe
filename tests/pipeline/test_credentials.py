from __future__ import annotations

from gitops_e2e.account import Account
from gitops_e2e.pipeline.credentials import argocd_login, kargo_login
from gitops_e2e.pipeline.names import PipelineNames

ACCOUNT = Account("robot", "secret")


def test_kargo_finds_a_login_by_its_label() -> None:
    login = kargo_login(ACCOUNT, "git.example/shop", repository_type="git")
    assert login["metadata"]["labels"] == {"kargo.akuity.io/cred-type": "git"}
    assert login["stringData"] == {"repoURL": "git.example/shop", "username": "robot", "password": "secret"}


def test_a_login_can_lack_the_label_and_be_for_a_pattern() -> None:
    login = kargo_login(ACCOUNT, "shop$", repository_type="", is_pattern=True)
    assert login["metadata"]["labels"] == {}
    assert login["stringData"]["repoURLIsRegex"] == "true"


def test_argo_cd_has_a_login_for_the_address_in_the_manifests() -> None:
    login = argocd_login(PipelineNames("shop", private=True), ACCOUNT)
    assert login["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repository"}
    assert login["stringData"]["url"] == "https://git.gitops-e2e.svc.cluster.local/private/shop.git"
