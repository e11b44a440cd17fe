"""The memory query by which prod's canary is judged, as it stands in the manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest

LIMIT = 157_286_400
"""150 MiB in bytes: what a canary pod may use, as `manifests/stages/prod/canary-check.yaml` has it."""


class NoMemoryQuery(HarnessError, AssertionError):
    """The manifests hold no canary check by Prometheus, or one that is not the maximum over pods."""


def query_by_pod(manifests: Sequence[Manifest], *, namespace: str, canary_hash: str) -> str:
    """The query that gives each canary pod's memory in bytes: what the check takes the maximum of.

    `manifests` are a stage's, `canary_hash` is the pod-template-hash that Argo Rollouts fills in.
    Raises NoMemoryQuery.
    """
    queries = [metric["provider"]["prometheus"]["query"] for metric in _metrics(manifests)]
    if len(queries) != 1:
        raise NoMemoryQuery(f"the stage has {len(queries)} Prometheus queries instead of one")
    filled = queries[0].replace("{{args.namespace}}", namespace).replace("{{args.canary-hash}}", canary_hash)
    maximum = re.fullmatch(r"\s*max\s*\((.*)\)\s*", filled, re.DOTALL)
    if maximum is None:
        raise NoMemoryQuery(f"the query takes no maximum over pods: {filled}")
    return maximum[1].strip()


def _metrics(manifests: Sequence[Manifest]) -> list[Manifest]:
    templates = [manifest for manifest in manifests if manifest["kind"] == "AnalysisTemplate"]
    metrics = [metric for template in templates for metric in template["spec"]["metrics"]]
    return [metric for metric in metrics if "prometheus" in metric["provider"]]
