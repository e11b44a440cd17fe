"""Every recorded expression gives what it gave in Kargo 1.8.4: value, type, message."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
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
from tests.promoter.conformance import RECORDINGS, Conformance, Different, behaviour

CASES: list[dict[str, Any]] = json.loads((RECORDINGS / "expressions.json").read_text())
BEHAVIOURS = [  # the first whose pattern is found in the expression
    (r"^quote", behaviour("`quote` forces a string", "5.3", "`quote(any)`")),
    (r"^unsafeQuote", behaviour("`unsafeQuote` puts quotes around JSON", "5.3", "`unsafeQuote(any)`")),
    (r"^ctx\.(project|stage)", behaviour("`ctx` knows project and stage", "5.2", "`ctx.project`, `ctx.stage`")),
    (r"^ctx\.meta", behaviour("`ctx` knows who promotes", "5.2", "`ctx.meta.promotion.actor`: from create-actor")),
    (r"^ctx", behaviour("`ctx` knows promotion and freight", "5.2", "| `ctx.promotion`")),
    (r"^vars\.(nope|stageVar)", behaviour("what is not there is null", "5.5", "Unknown top-level name")),
    (r"^vars", behaviour("`vars` has the promotion's variables", "5.2", "| `vars` |")),
    (r"^outputs", behaviour("`outputs` has the steps' outputs", "5.2", "| `outputs` (alias")),
    (r"^task\.", behaviour("a member of nothing is an error", "5.5", "Unknown top-level name")),
    (
        r"^(image|commit)From.*(nope|other|x/y)",
        behaviour("an artifact that is not in the freight", "5.3", "Lookup without"),
    ),
    (r"^imageFrom", behaviour("`imageFrom` finds the freight's image", "5.3", "`imageFrom(repoURL")),
    (r"^chartFrom", behaviour("`chartFrom` of a chart that is not there", "5.3", "Lookup without origin")),
    (r"^freightMetadata", behaviour("`freightMetadata` of freight without any", "5.3", "`freightMetadata(freightName")),
    (r"^(secret|configMap)", behaviour("`secret` and `configMap` read the project's", "5.3", "`configMap(name)`")),
    (r"^semverDiff", behaviour("`semverDiff` names what differs", "5.3", "`semverDiff(a,b)`")),
    (r"^(success|failure|always)\(", behaviour("`always`, `failure` and `success`", "5.3", "`always()`, `failure()`")),
    (r"^status\(", behaviour("`status` of a step that was not run", "5.3", "`status(alias)`")),
    (r"^undefinedFunction", behaviour("an unknown function is an error", "5.5", "Calling an unknown function")),
    (r"""^(['"][\de.]+['"]|string\()""", behaviour("text that is a number becomes one", "5.4", "parses as a float")),
    (r'^"(f|t|true)"$', behaviour("text that is a truth value becomes one", "5.4", "parses as bool")),
    (r'^"(null|\[|\{)|^(nil|toJSON)', behaviour("text that is JSON becomes what it says", "5.4", "valid JSON")),
    (r'^"(yes|0x10| +pad +)"$', behaviour("other text stays text", "5.4", "else string")),
    (r"", behaviour("operators and built-in functions of expr-lang", "5", "Engine: expr-lang 1.17.6")),
]

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


def _marked(case: dict[str, Any]) -> Any:
    marks = next(mark for pattern, mark in BEHAVIOURS if re.search(pattern, case["expression"]))
    return pytest.param(case, id=case["expression"], marks=marks)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES])
def test_recorded_expression(
    case: dict[str, Any], evaluator: Evaluator, functions: Mapping[str, Any], conformance: Conformance
) -> None:
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
    try:
        value = evaluator.render(template, environment)["value"]
        seen = {"phase": "Succeeded", "value": value}
    except ExpressionFailed as failure:
        seen = {"phase": "Errored", "message": TERMINAL + failure.what}
    if case["phase"] == "Succeeded":
        recorded = {"phase": "Succeeded", "value": case["output"].get("value")}  # a null is not kept in a status
    else:
        recorded = {key: case[key] for key in ("phase", "message")}
    conformance.same(seen, recorded)


@pytest.mark.parametrize("field", ["output", "message", "phase"])
def test_one_changed_field_is_seen(field: str, evaluator: Evaluator, functions: Mapping[str, Any]) -> None:
    case = next(one for one in CASES if one["phase"] == ("Succeeded" if field == "output" else "Errored"))
    changed = {**case, field: {"value": "something else"} if field == "output" else "something else"}
    with pytest.raises(Different):
        test_recorded_expression(changed, evaluator, functions, Conformance())


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
