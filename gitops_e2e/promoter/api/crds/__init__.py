"""The custom resource definitions of Kargo 1.8.4's kinds, written here from its observable behaviour."""

from __future__ import annotations

import time
from importlib import resources
from typing import Any

import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Manifest, NotFound, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION

_KINDS = (
    "project",
    "projectconfig",
    "clusterconfig",
    "warehouse",
    "freight",
    "stage",
    "promotion",
    "promotiontask",
    "clusterpromotiontask",
)
_POLL_SECONDS = 0.05
_TOO_MANY_REQUESTS = 429  # what "storage is (re)initializing" comes with


class NotEstablished(HarnessError):
    """The API server does not serve one of the kinds."""


def manifests() -> list[Manifest]:
    """The definitions, complete: every type they share is written out in them."""
    types = _read("types")
    return [_resolved(_read(kind), types) for kind in _KINDS]


def install(kube: Kube, *, timeout: float = 30.0) -> None:
    """Apply the definitions and wait until the API server serves them all.

    Raises NotEstablished after `timeout` seconds.
    """
    waiting = manifests()
    for manifest in waiting:
        kube.apply(manifest)
    deadline = time.monotonic() + timeout
    while waiting := [manifest for manifest in waiting if not _is_served(kube, manifest)]:
        if time.monotonic() > deadline:
            names = ", ".join(manifest["metadata"]["name"] for manifest in waiting)
            raise NotEstablished(f"the API server does not serve {names} after {timeout:g} s", where=kube.host)
        time.sleep(_POLL_SECONDS)


def _is_served(kube: Kube, definition: Manifest) -> bool:
    conditions = kube.get(Ref.of(definition))["status"]["conditions"] or []  # null at first
    established = any(found["type"] == "Established" and found["status"] == "True" for found in conditions)
    if not established:
        return False
    try:
        # Discovery follows the condition a little later, and the storage of the objects later still.
        kube.collection(kube.resource(API_VERSION, definition["spec"]["names"]["kind"]))
    except KubeError as error:
        if isinstance(error, NotFound) or error.code == _TOO_MANY_REQUESTS:
            return False
        raise
    return True


def _read(name: str) -> Manifest:
    text = resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    document: Manifest = yaml.safe_load(text)
    return document


def _resolved(schema: Any, types: Manifest) -> Any:
    """The schema with each `$ref` replaced by what it refers to; keys beside it come on top."""
    if isinstance(schema, list):
        return [_resolved(item, types) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    beside = {key: _resolved(value, types) for key, value in schema.items() if key != "$ref"}
    return beside if reference is None else {**_resolved(types[reference], types), **beside}
