"""The manifests as kustomize renders them, and the API's own schemas to hold them against."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gitops_e2e.cache import Cache
from gitops_e2e.commands import run
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.platform import MANIFESTS
from gitops_e2e.toolchain import Toolchain

_ROLLOUTS = "github.com/argoproj/argo-rollouts"
_ARGOCD = "github.com/argoproj/argo-cd/v3"
_CRDS = {
    "Rollout": (_ROLLOUTS, "rollout-crd.yaml"),
    "AnalysisTemplate": (_ROLLOUTS, "analysis-template-crd.yaml"),
    "ApplicationSet": (_ARGOCD, "applicationset-crd.yaml"),
    "Application": (_ARGOCD, "application-crd.yaml"),
}

Check = Callable[[Any], list[str]]


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return Toolchain(Cache.of_user())


@pytest.fixture(scope="session")
def rendered(toolchain: Toolchain) -> Callable[[str], list[Manifest]]:
    """The objects of a stage."""

    @cache
    def render(stage: str) -> list[Manifest]:
        argv: list[str | Path] = [toolchain.binary("kustomize"), "build", MANIFESTS / "stages" / stage]
        return [manifest for manifest in yaml.safe_load_all(run(argv, timeout=30).stdout) if manifest]

    return render


@pytest.fixture(scope="session")
def check(toolchain: Toolchain) -> Callable[[str], Check]:
    """For a kind: what its schema says against an object, unknown fields included."""

    @cache
    def for_kind(kind: str) -> Check:
        if kind in _CRDS:
            module, file = _CRDS[kind]
            schema = _crd_schema(toolchain.module_dir(module) / "manifests" / "crds" / file)
        else:
            schema = _core_schema(toolchain.module_dir("k8s.io/kubernetes"), kind)
        validator = Draft202012Validator(schema)
        return lambda manifest: [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]

    return for_kind


def _crd_schema(path: Path) -> dict[str, Any]:
    definition = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    schema: dict[str, Any] = _closed(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    return schema


def _core_schema(kubernetes: Path, kind: str) -> dict[str, Any]:
    components = json.loads((kubernetes / "api/openapi-spec/v3/api__v1_openapi.json").read_text())["components"]
    return {"$ref": f"#/components/schemas/io.k8s.api.core.v1.{kind}", "components": _closed(components)}


def _closed(schema: Any) -> Any:
    """A structural schema in which a field that nobody defined is an error, as the API server prunes it silently."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        closed["additionalProperties"] = False
    return closed
