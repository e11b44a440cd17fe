"""The approval service beside a stage, which `manifests/analyses/approval` asks for leave."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from gitops_e2e.approval import PORT
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.pipeline import Pipeline

_NAME = "approval"
_VERSION = "1.0.0"


def provide(pipeline: Pipeline, stage: str, *, decline: str, refuses: bool = False) -> None:
    """Let it run in the stage's namespace, with a token of its own; it declines the first so many askings, or `always`.

    One that refuses knows another token than the one that the analysis is given. Raises KubeError, and what publishing
    the image raises.
    """
    platform, names = pipeline.platform, pipeline.names
    platform.images.publish(names.image_path(_NAME), _NAME, _VERSION)
    token = secrets.token_hex(16)
    expected = secrets.token_hex(16) if refuses else token
    image = f"{names.image_repository(_NAME)}:{_VERSION}"
    for manifest in _manifests(image, {"TOKEN": expected, "DECLINE": decline}, token):
        manifest["metadata"]["namespace"] = names.namespace(stage)
        platform.kube.create(manifest)


def _manifests(image: str, environment: dict[str, str], token: str) -> Iterator[Manifest]:
    labels = {"app": _NAME}
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _NAME},
        "stringData": {"token": token, **environment},
    }
    container = {
        "name": _NAME,
        "image": image,
        "env": [_from_secret(name) for name in environment],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"automountServiceAccountToken": False, "containers": [container]},
            },
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME},
        "spec": {"selector": labels, "ports": [{"port": PORT}]},
    }


def _from_secret(name: str) -> Manifest:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": _NAME, "key": name}}}
