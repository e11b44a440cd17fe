"""Every recorded expression gives what it gave in Kargo 1.8.4: value, type, message."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.expressions import (
    Artifacts,
    Environment,
    Evaluator,
    ExpressionFailed,
    ProjectReader,
    data_functions,
    freight_functions,
)

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recordings/expressions.json").read_text())

PROJECT = "expr"
NAMESPACE = "expr-functions"
ORIGIN = {"kind": "Warehouse", "name": "img"}
FREIGHT = "9e1b620de6465c93c714a94f6db7112374a6325e"
IMAGE = {
    "repoURL": "10.231.0.2:5000/product-api",
    "tag": "1.1.0",
    "digest": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
TERMINAL = "an unrecoverable error occurred: failed to get step config: "


@pytest.fixture(scope="module")
def functions(kube: Kube) -> Mapping[str, Any]:
    """The functions over a project with what the recorded one had."""
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    subscription = {"image": {"repoURL": IMAGE["repoURL"], "constraint": "^1.0.0"}}
    for manifest in (
        _named(API_VERSION, "Warehouse", "img", spec={"subscriptions": [subscription]}),
        _named(API_VERSION, "Freight", FREIGHT, origin=ORIGIN, images=[IMAGE]),
        _named("v1", "Secret", "sec", data={"token": base64.b64encode(b"s3cr3t").decode()}),
        _named("v1", "ConfigMap", "cm", data={"key": "cm-value"}),
    ):
        kube.apply(manifest)
    reader = ProjectReader(kube, NAMESPACE)
    reference = {"name": FREIGHT, "origin": ORIGIN, "images": [IMAGE]}
    artifacts = Artifacts(reader, [Origin.of(ORIGIN)], [reference])
    return {
        **data_functions(reader),
        **freight_functions(reader, artifacts),
        "always": lambda: True,
        "success": lambda: True,
        "failure": lambda: False,
        "status": lambda _alias: "",
    }


@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_recorded_expression(case: dict[str, Any], evaluator: Evaluator, functions: Mapping[str, Any]) -> None:
    environment = Environment(
        data={
            "ctx": {
                "project": PROJECT,
                "stage": "test",
                "promotion": _promotion(case),
                "targetFreight": {"name": FREIGHT, "origin": {"name": "img"}},
                "meta": {"promotion": {"actor": "admin"}},
            },
            "vars": {"promoVar": "from-promotion", "both": "promotion"},
            "outputs": {},
        },
        functions=functions,
        step_metas={},
    )
    template = {"value": f"${{{{ {case['expression']} }}}}"}
    if case["phase"] == "Errored":
        with pytest.raises(ExpressionFailed) as failure:
            evaluator.render(template, environment)
        assert TERMINAL + failure.value.what == case["message"]
    else:
        value = evaluator.render(template, environment)["value"]
        expected = case["output"].get("value")  # a null is not kept in a status
        assert (type(value), value) == (type(expected), expected)


def _named(api_version: str, kind: str, name: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        **fields,
    }


def _promotion(case: dict[str, Any]) -> str:
    """The name of the Promotion that evaluated the recorded expression, where it shows."""
    found = re.search(r"test\.[0-9a-z]{26}\.[0-9a-f]{7}", json.dumps(case))
    return found[0] if found else "test.01m847nng5fb12bg2vs388qrfe.9e1b620"
