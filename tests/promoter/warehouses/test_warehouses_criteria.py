"""Conditions on the artifacts of new Freight."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.warehouses.criteria import CriteriaFailed, are_met

ARTIFACTS: Manifest = {
    "images": [
        {"repoURL": "example.test/api", "references": [{"tag": "1.1.0", "digest": "sha256:b"}, {"tag": "1.0.0"}]},
        {"repoURL": "example.test/web", "references": [{"tag": "1.1.0", "annotations": {"revision": "abc"}}]},
    ],
    "git": [{"repoURL": "https://example.test/deploy.git", "commits": [{"id": "abc", "tag": "v2", "subject": "Text"}]}],
}


def warehouse(expression: str) -> Manifest:
    return {"spec": {"freightCreationCriteria": {"expression": expression}}}


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("", True),
        ("true", True),
        ("imageFrom('example.test/api').Tag == imageFrom('example.test/web').Tag", True),
        ("imageFrom('example.test/api').Tag == '1.0.0'", False),
        ("imageFrom('example.test/web').Annotations['revision'] == commitFrom('https://example.test/deploy').ID", True),
        ("commitFrom('https://Example.test/deploy.git/').Message startsWith 'Te'", True),
        ("imageFrom('example.test/other') == nil", True),
        ("(imageFrom('example.test/other')?.Tag ?? 'none') == 'none'", True),
        ("chartFrom('oci://example.test/chart') != nil", False),
        ("chartFrom('https://example.test/charts', 'chart') != nil", False),
    ],
)
def test_criteria_speak_of_the_newest_artifacts(evaluator: Evaluator, expression: str, met: object) -> None:
    assert are_met(evaluator, warehouse(expression), ARTIFACTS) is met


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("1 +", "unexpected token EOF"),
        ("imageFrom('example.test/api').Tags == '1'", "has no field Tags"),
        ("'true'", "criteria expression result of type string is no boolean"),
        ("1", "criteria expression result of type int is no boolean"),
    ],
)
def test_criteria_must_be_evaluable(evaluator: Evaluator, expression: str, error: str) -> None:
    with pytest.raises(CriteriaFailed, match=error):
        are_met(evaluator, warehouse(expression), ARTIFACTS)


def test_none_are_always_met(evaluator: Evaluator) -> None:
    empty: dict[str, Any] = {"spec": {}}
    assert are_met(evaluator, empty, ARTIFACTS)
