"""What the real Kargo 1.8.4 did, as its watches delivered it, completed by what the sequences leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS
from gitops_e2e.pipeline.kargo import FREIGHTS, PROMOTIONS, STAGES, WAREHOUSES
from gitops_e2e.watching import WatchCache
from tests.recorded import put

RECORDINGS = Path(__file__).parent / "promoter/recordings"
PROJECT = "demo"


def objects(name: str) -> list[Manifest]:
    """The objects of a file below `objects/`: "at-the-end/freights"."""
    found: list[Manifest] = json.loads((RECORDINGS / f"objects/{name}.json").read_text())
    return found


def sequence(resource: Resource, name: str | None = None) -> list[Manifest]:
    """The states that the objects of a resource went through, or those of one object, in order."""
    lines = (RECORDINGS / f"sequences/{resource.plural}.jsonl").read_text().splitlines()
    states = [json.loads(line) for line in lines]
    return [_object(resource, each, states) for each in states if name in {None, each["name"]}]


def play(cache: WatchCache, *sequences: list[Manifest]) -> None:
    """Deliver states, those of one sequence after those of another."""
    kinds = {each.kind: each for each in (ANALYSIS_RUNS, FREIGHTS, PROMOTIONS, STAGES, WAREHOUSES)}
    for manifest in (each for states in sequences for each in states):
        put(cache, kinds[manifest["kind"]], PROJECT, manifest["metadata"]["name"], manifest)


def story(cache: WatchCache) -> list[str]:
    """What the timeline tells of the project."""
    return [entry.text for entry in cache.timeline.entries(PROJECT) if entry.what != "watch"]


def _object(resource: Resource, state: dict[str, Any], states: list[dict[str, Any]]) -> Manifest:
    manifest: Manifest = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": state["name"], "namespace": PROJECT, **state["metadata"]},
    }
    match resource.kind:
        case "Freight":
            manifest |= _freight(state["name"])
        case "Promotion":
            manifest["spec"] = {"stage": _stage(state["name"]), "freight": _freight_of(state["name"], states)}
    return manifest | {"status": state["status"]} if state["status"] else manifest


def _freight(name: str) -> Manifest:
    found = next(each for each in _all_freight() if each["metadata"]["name"] == name)
    return {key: found[key] for key in ("alias", "origin", "images")}


def _all_freight() -> Iterator[Manifest]:
    yield from objects("at-the-end/freights")
    yield from objects("after-first-rollback/freights")


def _stage(promotion: str) -> str:
    return promotion.partition(".")[0] if "." in promotion else "dev"


def _freight_of(promotion: str, states: list[dict[str, Any]]) -> str:
    statuses = [each["status"] for each in states if each["name"] == promotion and each["status"]]
    return next((str(each["freight"]["name"]) for each in reversed(statuses) if "freight" in each), "")
