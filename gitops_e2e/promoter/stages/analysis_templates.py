"""Analysis templates merged into what an AnalysisRun shall do (behaviour file, 3.9)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest

_AUTHENTICATED = ("web", "prometheus")


class TemplatesDisagree(HarnessError):
    """The templates cannot be merged, or an argument has no value."""


def merged_spec(templates: Sequence[Manifest], arguments: Mapping[str, str]) -> Manifest:
    """The spec of an AnalysisRun by these templates, in their order. Raises TemplatesDisagree.

    `arguments` are the values that the Stage gives; an empty one keeps the template's, one that no template
    declares is dropped.
    """
    specs = [template["spec"] for template in templates]
    merged = {
        "metrics": _metrics(specs),
        "dryRun": _concatenated(specs, "dryRun"),
        "measurementRetention": _concatenated(specs, "measurementRetention"),
        "args": _arguments(specs, arguments),
    }
    return {field: value for field, value in merged.items() if value}


def _metrics(specs: Iterable[Manifest]) -> list[Manifest]:
    metrics: dict[str, Manifest] = {}
    for spec in specs:
        for metric in spec.get("metrics", []):
            if metric["name"] in metrics:
                raise TemplatesDisagree(f'duplicate metric name: "{metric["name"]}"')
            metrics[metric["name"]] = _as_written(metric)
    return list(metrics.values())


def _as_written(metric: Manifest) -> Manifest:
    """The metric as a Go client writes it: these providers' authentication is there even when it is empty."""
    written = copy.deepcopy(metric)
    for provider in _AUTHENTICATED:
        if provider in written.get("provider", {}):
            authentication = written["provider"][provider].setdefault("authentication", {})
            authentication.setdefault("oauth2", {})
            authentication.setdefault("sigv4", {})
    return written


def _concatenated(specs: Iterable[Manifest], field: str) -> list[Manifest]:
    return [copy.deepcopy(entry) for spec in specs for entry in spec.get(field, [])]


def _arguments(specs: Iterable[Manifest], given: Mapping[str, str]) -> list[Manifest]:
    declared: dict[str, Manifest] = {}
    for spec in specs:
        for argument in spec.get("args", []):
            known = declared.setdefault(argument["name"], argument)
            if "value" not in known:
                declared[argument["name"]] = argument
            elif "value" in argument and known["value"] != argument["value"]:
                values = f'"{known["value"]}" and "{argument["value"]}"'
                raise TemplatesDisagree(f'conflicting values for argument "{argument["name"]}": {values}')
    return [_resolved(argument, given.get(name, "")) for name, argument in declared.items()]


def _resolved(argument: Manifest, value: str) -> Manifest:
    if value:
        return {**argument, "value": value}
    if "value" not in argument and "valueFrom" not in argument:
        raise TemplatesDisagree(f'unresolved argument "{argument["name"]}": neither Value nor ValueFrom is set')
    return copy.deepcopy(argument)
