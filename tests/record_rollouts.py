"""Records what the real Argo Rollouts controller does: `python -m tests.record_rollouts tests/pipeline/recordings`.

Each line of a recording is one change as the watch delivered it: kind and the object, null once it is gone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.rollout import has_canary_pods, is_aborted, is_healthy_on
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.watching import Place, Snapshot, WatchCache, expect
from tests.argo_rollouts import (
    NEW,
    Kubelet,
    Shop,
    install_crds,
    metric_server,
    prometheus_answer,
    start_controllers,
    waiting,
)
from tests.control_plane import ControlPlane

WITHIN = 60.0


def good_canary(shop: Shop, _kubelet: Kubelet, _memory: dict[str, Any]) -> None:
    shop.apply(NEW)
    expect(shop.rollout, is_healthy_on("1.0.0"), within=WITHIN)


def rollback(shop: Shop, _kubelet: Kubelet, memory: dict[str, Any]) -> None:
    memory["body"] = prometheus_answer("248.328125")
    shop.apply(NEW)
    expect(shop.rollout, is_aborted(), within=WITHIN)
    expect(shop.rollout, has_canary_pods(0, of=3), within=WITHIN)


def progress_deadline(shop: Shop, kubelet: Kubelet, _memory: dict[str, Any]) -> None:
    kubelet.statuses["shop:broken"] = waiting("ContainerCreating", "")
    shop.apply("shop:broken", progressDeadlineSeconds=2, progressDeadlineAbort=True)
    expect(shop.rollout, is_aborted(because="Rollout aborted update to revision 2"), within=WITHIN)
    expect(shop.rollout, has_canary_pods(0, of=3), within=WITHIN)


RECORDED: list[Callable[[Shop, Kubelet, dict[str, Any]], None]] = [good_canary, rollback, progress_deadline]


def record(folder: Path) -> None:
    plane = ControlPlane(Path(tempfile.mkdtemp()))
    try:
        plane.start()
        install_crds(plane)
        start_controllers(plane)
        kubelet = Kubelet(plane.kube())
        kubelet.start()
        for scenario in RECORDED:
            _record(plane, kubelet, scenario, folder / f"{scenario.__name__}.jsonl")
        kubelet.stop()
    finally:
        plane.stop()


def _record(
    plane: ControlPlane, kubelet: Kubelet, scenario: Callable[[Shop, Kubelet, dict[str, Any]], None], file: Path
) -> None:
    namespace = scenario.__name__.replace("_", "-")
    memory: dict[str, Any] = {"status": 200, "body": prometheus_answer("90")}
    stories = {resource: story for resource, story in STORIES.items() if resource.kind not in {"Application", "Event"}}
    with (
        metric_server(lambda _: (memory["status"], memory["body"])) as metrics,
        WatchCache(plane.kube(), stories) as cache,
    ):
        shop = Shop(plane.kube(), cache, namespace, metrics)
        expect(shop.rollout, is_healthy_on("0.9.0"), within=WITHIN)
        scenario(shop, kubelet, memory)
        lines = [json.dumps(line) for line in _changes(cache.history(), namespace)]
    file.write_text("".join(line + "\n" for line in lines))


def _changes(snapshots: Sequence[Snapshot], namespace: str) -> Iterator[dict[str, Any]]:
    for before, after in pairwise(snapshots):
        for place in after.places:
            if place.namespace == namespace:
                yield from _differences(before, after, place)


def _differences(before: Snapshot, after: Snapshot, place: Place) -> Iterator[dict[str, Any]]:
    old, new = (_objects(snapshot, place) for snapshot in (before, after))
    for name in {*old, *new}:
        if old.get(name) is not new.get(name):
            manifest = new.get(name)
            yield {"kind": place.resource.kind, "name": name, "object": manifest and _small(manifest)}


def _objects(snapshot: Snapshot, place: Place) -> dict[str, Manifest]:
    collection = snapshot.collections.get(place.resource)
    return dict(collection.objects.get(place.namespace or "", {})) if collection else {}


def _small(manifest: Manifest) -> Manifest:
    """Without what nobody reads: the API server's defaults of pods, and annotations that repeat the manifest."""
    if manifest["kind"] != "Pod":
        return manifest
    containers = [{"name": each["name"], "image": each["image"]} for each in manifest["spec"]["containers"]]
    return {**manifest, "spec": {"containers": containers}}


if __name__ == "__main__":
    record(Path(sys.argv[1]))
