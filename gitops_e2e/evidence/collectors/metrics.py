"""What Prometheus says of a scenario's time: by the queries of its analyses, and the memory of each pod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS
from gitops_e2e.pipeline.metric import PrometheusError

_STEP = timedelta(seconds=2)
_MEMORY = 'sum by (pod) (container_memory_working_set_bytes{{namespace="{namespace}",container!=""}})'


def collect(scene: Scene) -> Iterator[Piece]:
    """One file of JSON a query: what was asked, and each series with its values by time. Memory is in bytes."""
    runs = scene.cache.now().collections[ANALYSIS_RUNS]
    for namespace in scene.namespaces:
        yield _piece(scene, f"metrics/{namespace}-memory-by-pod.json", _MEMORY.format(namespace=namespace))
        for run in runs.objects.get(namespace, {}).values():
            for metric, query in _queries(run):
                yield _piece(scene, f"metrics/{namespace}-{run['metadata']['name']}-{metric}.json", query)


def _piece(scene: Scene, path: str, query: str) -> Piece:
    now = datetime.now(UTC)
    told: dict[str, object] = {"query": query, "from": scene.since.isoformat(), "to": now.isoformat()}
    try:
        told["series"] = [
            {"labels": each.labels, "values": [(sample.at.isoformat(), sample.value) for sample in each.samples]}
            for each in scene.prometheus.range(query, scene.since, now, _STEP)
        ]
    except PrometheusError as error:
        told["error"] = str(error)
    return Piece(path, json.dumps(told, indent=1, default=str) + "\n")


def _queries(run: Manifest) -> Iterator[tuple[str, str]]:
    """A run's queries as the controller asked them; as they are written where it did not come to that."""
    asked = {
        each["name"]: (each.get("metadata") or {}).get("ResolvedPrometheusQuery", "")
        for each in run.get("status", {}).get("metricResults") or []
    }
    for metric in run["spec"].get("metrics") or []:
        query = (metric.get("provider", {}).get("prometheus") or {}).get("query")
        if query:
            yield metric["name"], asked.get(metric["name"]) or query
