"""Kubernetes Events as Kargo records them (behaviour file, section 8)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gitops_e2e.kube import Kube, KubeError, Manifest
from gitops_e2e.promoter.runtime.times import now, rfc3339

_logger = logging.getLogger(__name__)

_PREFIX = "event.kargo.akuity.io/"
_CREATE_ACTOR = "kargo.akuity.io/create-actor"
_ARTIFACTS = {  # in the order in which the recorded events write the fields
    "commits": ("repoURL", "id", "branch", "tag", "message", "author", "committer"),
    "images": ("repoURL", "tag", "digest", "annotations"),
    "charts": ("repoURL", "name", "version"),
}


class ApplicationName(NamedTuple):
    """An Argo CD Application that a Promotion's steps update."""

    namespace: str
    name: str


class EventRecorder:
    """Records events in the name of one controller or webhook, such as `stage-controller`."""

    def __init__(self, kube: Kube, component: str) -> None:
        self._kube = kube
        self.component = component

    def record(self, involved: Manifest, reason: str, message: str, annotations: Mapping[str, str]) -> None:
        """Record a Normal event on an object; `annotations` without their common prefix.

        An event that cannot be written is told in the log only: it must not make anything be done twice.
        """
        metadata = involved["metadata"]
        moment = rfc3339(now())
        event: Manifest = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{time.time_ns():x}",
                "namespace": metadata["namespace"],
                "annotations": {_PREFIX + key: value for key, value in annotations.items()},
            },
            "involvedObject": {
                "apiVersion": involved["apiVersion"],
                "kind": involved["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
            },
            "type": "Normal",
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "reportingInstance": "",
        }
        try:
            self._kube.create(event)
        except KubeError as error:
            _logger.warning("event %s is lost: %s", reason, error)


def freight_annotations(freight: Manifest) -> dict[str, str]:
    """What events tell about a Freight."""
    annotations = {
        "freight-name": freight["metadata"]["name"],
        "freight-alias": freight.get("alias", ""),
        "freight-create-time": freight["metadata"]["creationTimestamp"],
    }
    for kind, fields in _ARTIFACTS.items():
        if artifacts := freight.get(kind):
            annotations[f"freight-{kind}"] = _json([_in_order(artifact, fields) for artifact in artifacts])
    return annotations


def promotion_annotations(
    promotion: Manifest, freight: Manifest | None, applications: Iterable[ApplicationName], *, actor: str
) -> dict[str, str]:
    """What events tell about a Promotion; its creator is named as actor, `actor` where nobody is known."""
    metadata = promotion["metadata"]
    annotations = {
        "project": metadata["namespace"],
        "actor": metadata.get("annotations", {}).get(_CREATE_ACTOR) or actor,
        "promotion-name": metadata["name"],
        "promotion-create-time": metadata["creationTimestamp"],
        "stage-name": promotion["spec"]["stage"],
    }
    if freight is not None:
        annotations |= freight_annotations(freight)
    if updated := [{"Namespace": app.namespace, "Name": app.name} for app in applications]:
        annotations["applications"] = _json(updated)
    return annotations


def _in_order(artifact: Manifest, fields: tuple[str, ...]) -> Manifest:
    return {field: artifact[field] for field in fields if artifact.get(field)}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
