"""Logins as Kargo and Argo CD find them: Secrets that say which repository they are for.

How Kargo (1.8) looks for one: among the Secrets of the Project with the label of the repository's type, by name, it
takes the first whose `repoURL` is the repository's whole address, in whatever spelling, or, where `repoURLIsRegex` says
so, a pattern (RE2) that is found in the address. A host alone, or a folder of repositories, is the address of none.
"""

from __future__ import annotations

from gitops_e2e.account import Account
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline.application import ARGOCD
from gitops_e2e.pipeline.names import PipelineNames

TYPE = "kargo.akuity.io/cred-type"
"""The label: `git`, `image` or `helm`."""

NAME = "login"
"""The Secret of a Project that has one login alone."""


def kargo_login(
    account: Account, url: str, *, repository_type: str, is_pattern: bool = False, name: str = NAME
) -> Manifest:
    """A Secret with which Kargo logs in to repositories of that type; with "" it lacks the label."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {TYPE: repository_type} if repository_type else {}},
        "stringData": {"repoURL": url, **_of(account), **({"repoURLIsRegex": "true"} if is_pattern else {})},
    }


def argocd_login(names: PipelineNames, account: Account, *, verified: bool = True) -> Manifest:
    """The Secret with which Argo CD reads a pipeline's Git repository: with a login where that asks for one.

    `verified` tells whether it is to ask who vouches for the server.
    """
    ref = argocd_login_ref(names)
    labels = {"argocd.argoproj.io/secret-type": "repository"}
    login = _of(account) if names.asks_for_login else {}
    insecure = {} if verified else {"insecure": "true"}
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
        "stringData": {"type": "git", "url": names.git_address, **login, **insecure},
    }


def argocd_login_ref(names: PipelineNames) -> Ref:
    """Which Secret that is."""
    return Ref("v1", "Secret", f"{names.id}-repository", ARGOCD)


def _of(account: Account) -> Manifest:
    return {"username": account.username, "password": account.password}
