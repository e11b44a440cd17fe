"""The namespace that belongs to a Project."""

from __future__ import annotations

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.kinds import FINALIZER, LABEL_PROJECT


def new_namespace(project: str) -> Manifest:
    """The Namespace of a new Project."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": project, "labels": {LABEL_PROJECT: "true"}, "finalizers": [FINALIZER]},
    }
