"""Which kinds of steps there are."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_e2e.promoter.steps.argocd_update import ARGOCD_UPDATE
from gitops_e2e.promoter.steps.compose_output import COMPOSE_OUTPUT
from gitops_e2e.promoter.steps.copy_path import COPY
from gitops_e2e.promoter.steps.delete_path import DELETE
from gitops_e2e.promoter.steps.git_clear import GIT_CLEAR
from gitops_e2e.promoter.steps.git_clone import GIT_CLONE
from gitops_e2e.promoter.steps.git_commit import GIT_COMMIT
from gitops_e2e.promoter.steps.git_push import GIT_PUSH
from gitops_e2e.promoter.steps.http_request import HTTP
from gitops_e2e.promoter.steps.json_update import JSON_UPDATE
from gitops_e2e.promoter.steps.kustomize_build import KUSTOMIZE_BUILD
from gitops_e2e.promoter.steps.kustomize_set_image import KUSTOMIZE_SET_IMAGE
from gitops_e2e.promoter.steps.model import StepKind
from gitops_e2e.promoter.steps.parse_document import JSON_PARSE, YAML_PARSE
from gitops_e2e.promoter.steps.set_metadata import SET_METADATA
from gitops_e2e.promoter.steps.yaml_update import YAML_UPDATE

KINDS: Mapping[str, StepKind] = {
    kind.name: kind
    for kind in (
        ARGOCD_UPDATE,
        COMPOSE_OUTPUT,
        COPY,
        DELETE,
        GIT_CLEAR,
        GIT_CLONE,
        GIT_COMMIT,
        GIT_PUSH,
        HTTP,
        JSON_PARSE,
        JSON_UPDATE,
        KUSTOMIZE_BUILD,
        KUSTOMIZE_SET_IMAGE,
        SET_METADATA,
        YAML_PARSE,
        YAML_UPDATE,
    )
}
"""What `uses` can name and the engine can run, by name."""
