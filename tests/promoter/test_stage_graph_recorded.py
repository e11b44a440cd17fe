"""The recorded graph of Stages, gone through by the whole engine: policies, sources, soak time, control flow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.admission.server import KeyPair
from gitops_e2e.promoter.api.kinds import API_VERSION, FREIGHTS, PROMOTIONS, STAGES
from gitops_e2e.promoter.api.names import collection_id, promotion_name
from gitops_e2e.promoter.runtime import now, rfc3339
from tests.promoter.conformance import RECORDINGS, Conformance, Different, as_recorded, behaviour
from tests.promoter.engine_process import Place, an_object, until, webhooks

pytestmark = pytest.mark.node

GRAPH = RECORDINGS / "stage-graph"
RECORDED_REPO, REPO = "10.231.0.2:5000/product-api", "127.0.0.1:9/product-api"
_BY_NAME = behaviour("policies by name, glob and regular expression", "1.5", "`stageSelector.name`: exact")
BEHAVIOURS = {
    "auto-a": _BY_NAME,
    "auto-all": behaviour("freight that was verified in all of the stages before", "3.11", "(a) **Gate**"),
    "auto-b": behaviour("freight that was verified in the stage before", "3.11", "(b) **Listing**"),
    "auto-one": behaviour("freight that was verified in one of the stages before", "3.11", "(a) **Gate**"),
    "direct-and-stages": behaviour("no policy, no promotion", "1.5", "First matching policy in list order decides"),
    "flow": behaviour("a control-flow stage hands freight on", "3.10", "Every available Freight"),
    "manual-c": behaviour("a promotion by hand", "3.4", "Else top item non-terminal"),
    "re1": behaviour("soak time ends unnoticed until the stage is looked at", "3.3", "There is **no timer"),
    "x": behaviour("policies by label", "1.5", "`stageSelector.matchLabels`"),
}


def recorded(file: str) -> list[Manifest]:
    found: list[Manifest] = json.loads((GRAPH / f"{file}.json").read_text())
    return sorted(map(as_recorded, found), key=lambda one: str(one["metadata"]["name"]))


@dataclass(frozen=True)
class Graph:
    """What became of the project, and how its names were in the recording."""

    stages: dict[str, Manifest]
    promotions: list[Manifest]
    freights: list[Manifest]
    spelling: dict[str, str]


@pytest.fixture(scope="module")
def graph(
    kube_as: Callable[[str], Kube],
    tools: Path,
    kube: Kube,
    serving_keys: KeyPair,
    tmp_path_factory: pytest.TempPathFactory,
) -> Graph:
    engine = kube_as("system:serviceaccount:kargo:kargo-controller").kubeconfig
    place = Place.make(engine, tools, tmp_path_factory.mktemp("engine"), serving_keys)
    (recorded_freight,) = recorded("freights")
    images = json.loads(json.dumps(recorded_freight["images"]).replace(RECORDED_REPO, REPO))
    with place.engine() as (_, url), webhooks(kube, url, serving_keys):
        for manifest in yaml.safe_load_all((GRAPH / "input.yaml").read_text().replace(RECORDED_REPO, REPO)):
            kube.create(manifest)
        until("stages", lambda: len(stages(kube, "NoFreight")) == 8)
        freight = kube.create(an_object("Freight", "any", "graph", images=images, origin=recorded_freight["origin"]))
        name = freight["metadata"]["name"]
        until("auto", lambda: stages(kube, "Verified") >= {"auto-a", "auto-b", "auto-one", "x"})
        step = {"uses": "compose-output", "config": {"v": 1}}
        spec = {"stage": "manual-c", "freight": name, "steps": [step]}
        kube.create(an_object("Promotion", promotion_name("manual-c", name), "graph", spec=spec))
        kube.create(an_object("Promotion", "flow.x.1", "graph", spec={**spec, "stage": "flow"}))
        until("all", lambda: "auto-all" in stages(kube, "Verified"))
        soaking = {"currentlyIn": {"auto-a": {"since": rfc3339(now() - timedelta(seconds=16))}}}
        kube.patch(Ref.of(freight), {"status": soaking}, subresource="status")
        re1 = Ref(API_VERSION, "Stage", "re1", "graph")
        kube.patch(re1, {"metadata": {"annotations": {"kargo.akuity.io/refresh": "1795438824"}}})
        until("soaked", lambda: "re1" in stages(kube, "Verified"))
        until("flow", lambda: kube.get(Ref(API_VERSION, "Promotion", "flow.x.1", "graph")).get("status"))
    old = recorded_freight["metadata"]["name"]
    return Graph(
        {stage["metadata"]["name"]: as_recorded(stage) for stage in kube.list(STAGES, "graph")},
        [as_recorded(one) for one in kube.list(PROMOTIONS, "graph")],
        [as_recorded(one) for one in kube.list(FREIGHTS, "graph")],
        {REPO: RECORDED_REPO, name: old, collection_id([name]): collection_id([old]), name[:7]: old[:7]},
    )


def stages(kube: Kube, reason: str) -> set[str]:
    """The Stages that are Ready, or not, for this reason."""
    return {
        stage["metadata"]["name"]
        for stage in kube.list(STAGES, "graph")
        if any(one["reason"] == reason for one in stage.get("status", {}).get("conditions", [])[:1])
    }


def marked(stage: Manifest) -> Any:
    name = stage["metadata"]["name"]
    return pytest.param(stage, id=name, marks=BEHAVIOURS[name])


@pytest.mark.parametrize("stage", [marked(stage) for stage in recorded("stages")])
def test_a_stage_as_recorded(graph: Graph, stage: Manifest, conformance: Conformance) -> None:
    conformance.same(graph.stages[stage["metadata"]["name"]], stage, graph.spelling)


@behaviour("promotions by policy, by hand, and to a control-flow stage", "4.1", "name = lower(")
def test_the_promotions_as_recorded(graph: Graph, conformance: Conformance) -> None:
    made = sorted(graph.promotions, key=lambda one: str(one["metadata"]["name"]))
    conformance.same(made, recorded("promotions"), graph.spelling)


@behaviour("freight: where it is, and where it was verified", "3.5", "Freight no longer in the current collection")
def test_the_freight_as_recorded(graph: Graph, conformance: Conformance) -> None:
    conformance.same(graph.freights, recorded("freights"), graph.spelling)


@pytest.mark.parametrize(
    ("name", "word", "other"),
    [("auto-a", "is healthy", "is well"), ("flow", "N/A", "none"), ("x", "2a1a76a", "2a1a76b")],
)
def test_one_changed_field_is_seen(graph: Graph, name: str, word: str, other: str) -> None:
    stage = next(one for one in recorded("stages") if one["metadata"]["name"] == name)
    changed = json.loads(json.dumps(stage).replace(word, other))
    assert changed != stage
    with pytest.raises(Different):
        test_a_stage_as_recorded(graph, changed, Conformance())
