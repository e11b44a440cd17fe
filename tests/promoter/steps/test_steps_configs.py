"""Configs that do not fit are refused before anything is done, in Kargo's words."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.steps import KINDS

CHECKOUT = {"branch": "main", "path": "x"}


@pytest.mark.parametrize(
    ("kind", "config", "complaints"),
    [
        ("git-clear", None, ["(root): Invalid type. Expected: object, given: null"]),
        ("git-clear", {"path": 1}, ["path: Invalid type. Expected: string, given: integer"]),
        ("git-clear", {"path": 1.5}, ["path: Invalid type. Expected: string, given: number"]),
        ("git-clear", {"path": None}, ["path: Invalid type. Expected: string, given: null"]),
        ("git-clone", {"repoURL": "u"}, ["(root): checkout is required"]),
        ("git-clone", {"checkout": [CHECKOUT]}, ["(root): repoURL is required"]),
        ("git-clone", {"repoURL": "u", "checkout": []}, ["checkout: Array must have at least 1 items"]),
        (
            "git-clone",
            {"repoURL": "", "checkout": [CHECKOUT]},
            ["repoURL: String length must be greater than or equal to 1"],
        ),
        ("git-clone", {"repoURL": "u", "checkout": [{"branch": "b"}]}, ["checkout.0: path is required"]),
        (
            "git-clone",
            {"repoURL": "u", "checkout": [{"path": "x", "branch": None}]},
            ["checkout.0.branch: Invalid type. Expected: string, given: null"],
        ),
        ("git-clone", {"repoURL": "u", "checkout": [{"path": "x"}, {"path": "y", "tag": "t", "branch": ""}]}, []),
        ("git-commit", {"path": "x"}, ["(root): message is required"]),
        ("git-commit", {"path": "x", "message": 3}, ["message: Invalid type. Expected: string, given: integer"]),
        (
            "git-commit",
            {"path": "x", "message": "m", "author": {"name": "n"}},
            ["author: email is required"],
        ),
        (
            "git-commit",
            {"path": "x", "message": "m", "author": {"name": "n", "email": "no"}},
            ["author.email: Does not match format 'email'"],
        ),
        ("git-push", {"path": "x", "maxAttempts": 0}, ["maxAttempts: Must be greater than or equal to 1"]),
        (
            "git-push",
            {"path": "x", "provider": "other"},
            ['provider: provider must be one of the following: "azure", "bitbucket", "gitea", "github", "gitlab"'],
        ),
        ("git-push", {"path": "x", "generateTargetBranch": True}, []),
        ("git-push", {"path": "x", "generateTargetBranch": False, "targetBranch": "b"}, []),
        ("compose-output", {}, ["(root): Must have at least 1 properties"]),
        ("argocd-update", {"apps": [{}]}, ["apps.0: name is required"]),
        (
            "argocd-update",
            {"apps": [{"name": "a", "sources": [{"repoURL": "r", "desiredRevision": ""}]}]},
            ["apps.0.sources.0.desiredRevision: String length must be greater than or equal to 1"],
        ),
        (
            "argocd-update",
            {"apps": [{"name": "a", "sources": [{"repoURL": "r", "desiredRevision": None}]}]},
            ["apps.0.sources.0.desiredRevision: Invalid type. Expected: string, given: null"],
        ),
        ("set-metadata", {"updates": [{"kind": "Stage", "name": "s"}]}, ["updates.0: values is required"]),
        ("yaml-update", {"path": "x", "updates": [{"key": "k", "value": None}]}, []),
        ("yaml-update", {"path": "x", "updates": [{"key": "k"}]}, ["updates.0: value is required"]),
        ("delete", {"path": "x", "strict": "yes"}, ["strict: Invalid type. Expected: boolean, given: string"]),
    ],
)
def test_complaints(evaluator: Evaluator, kind: str, config: Any, complaints: list[str]) -> None:
    assert evaluator.validate(KINDS[kind].schema, config) == complaints


@pytest.mark.parametrize(
    ("kind", "config", "complaint"),
    [
        (
            "git-clone",
            {"repoURL": "u", "checkout": [{"path": "x", "branch": "b", "tag": "t"}]},
            "checkout.0: Must validate one and only one schema (oneOf)",
        ),
        (
            "kustomize-set-image",
            {"path": "x", "images": [{"image": "a", "tag": 1.1}]},
            "images.0.tag: Invalid type. Expected: string, given: number",
        ),
        (
            "kustomize-set-image",
            {"path": "x", "images": [{"image": "a"}]},
            "images.0: Must validate one and only one schema (oneOf)",
        ),
        (
            "git-push",
            {"path": "x", "generateTargetBranch": True, "targetBranch": "b"},
            "(root): Must validate one and only one schema (oneOf)",
        ),
        (
            "argocd-update",
            {"apps": [{"name": "a", "sources": [{"repoURL": "r", "updateTargetRevision": True}]}]},
            "apps.0.sources.0: desiredRevision is required",
        ),
    ],
)
def test_one_complaint_of_several(evaluator: Evaluator, kind: str, config: Any, complaint: str) -> None:
    assert complaint in evaluator.validate(KINDS[kind].schema, config)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"compose-output"}))
def test_unknown_fields_are_refused(evaluator: Evaluator, kind: str) -> None:
    complaints = evaluator.validate(KINDS[kind].schema, {"bogus": 1})
    assert "(root): Additional property bogus is not allowed" in complaints
