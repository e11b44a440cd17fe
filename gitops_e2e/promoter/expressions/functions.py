"""The functions of expressions that need the cluster (behaviour file, 5.3)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.expressions.artifacts import Artifacts, ProjectReader

Function = Callable[..., Any]
"""Takes and gives JSON values. The text of a HarnessError it raises becomes the expression's error."""


class ChartNotFound(HarnessError):
    """The Freight has no such chart."""


def data_functions(reader: ProjectReader) -> dict[str, Function]:
    """The group `data`: ConfigMaps and Secrets of the project, metadata of its Stages and Freight."""

    def config_map(name: str) -> dict[str, str]:
        return dict((reader.find("v1", "ConfigMap", name) or {}).get("data", {}))

    def secret(name: str) -> dict[str, str]:
        data = (reader.find("v1", "Secret", name) or {}).get("data", {})
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}

    def stage_metadata(name: str) -> Any:
        return _metadata(reader.find(API_VERSION, "Stage", name))

    return {
        "configMap": config_map,
        "secret": secret,
        "stageMetadata": stage_metadata,
        "freightMetadata": _freight_metadata(reader),
    }


def freight_functions(reader: ProjectReader, artifacts: Artifacts) -> dict[str, Function]:
    """The group `freight`: artifacts and metadata of the Freight at hand."""

    def image_from(url: str, origin: Mapping[str, str] | None = None) -> Manifest | None:
        return artifacts.image(url, _origin(origin))

    def commit_from(url: str, origin: Mapping[str, str] | None = None) -> Manifest | None:
        return artifacts.commit(url, _origin(origin))

    def chart_from(url: str, *rest: Any) -> Manifest:
        name = next((argument for argument in rest if isinstance(argument, str)), "")
        origin = next((argument for argument in rest if not isinstance(argument, str)), None)
        if chart := artifacts.chart(url, name, _origin(origin)):
            return chart
        what = f'chart "{name}" from repo {url}' if name else f"chart from repo {url}"
        raise ChartNotFound(f"{what} not found in referenced Freight")

    return {
        "imageFrom": image_from,
        "commitFrom": commit_from,
        "chartFrom": chart_from,
        "freightMetadata": _freight_metadata(reader),
    }


def _freight_metadata(reader: ProjectReader) -> Function:
    def freight_metadata(name: str, *key: str) -> Any:
        metadata = _metadata(reader.find(API_VERSION, "Freight", name))
        return (metadata or {}).get(key[0]) if key else metadata

    return freight_metadata


def _metadata(manifest: Manifest | None) -> Any:
    return (manifest or {}).get("status", {}).get("metadata")


def _origin(argument: Mapping[str, str] | None) -> Origin | None:
    return Origin(argument["kind"], argument["name"]) if argument else None
