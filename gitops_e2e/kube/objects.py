"""Names of things in the API: an object, and a resource that objects belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
"""An object as the API takes and gives it: parsed JSON."""


@dataclass(frozen=True)
class Ref:
    """Which object: the four words that name it."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    @staticmethod
    def of(manifest: Manifest) -> Ref:
        """The name of the object that a manifest describes."""
        metadata = manifest["metadata"]
        return Ref(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))

    def __str__(self) -> str:
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{place}"


@dataclass(frozen=True)
class Resource:
    """A collection in the API: where objects of one kind live."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection (all namespaces when none is given) or of one object in it."""
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        parts = [root + place, self.plural, name, subresource]
        return "/".join(part for part in parts if part)


PODS = Resource("v1", "Pod", "pods", namespaced=True)
NODES = Resource("v1", "Node", "nodes", namespaced=False)

_MAKES_PODS = {"Deployment", "StatefulSet", "Job"}


def pulled_by(secret: str, manifest: Manifest) -> Manifest:
    """The manifest of a pod, or of what makes pods, with a Secret to pull them by; any other as it is."""
    pulling = {"imagePullSecrets": [{"name": secret}]}
    if manifest["kind"] == "Pod":
        return {**manifest, "spec": {**manifest["spec"], **pulling}}
    if manifest["kind"] not in _MAKES_PODS:
        return manifest
    template = manifest["spec"]["template"]
    pods = {**template, "spec": {**template["spec"], **pulling}}
    return {**manifest, "spec": {**manifest["spec"], "template": pods}}
