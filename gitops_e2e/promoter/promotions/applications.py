"""Which Argo CD Applications a Promotion is going to update, as the events about it tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.freights import reference
from gitops_e2e.promoter.expressions import Evaluator, ExpressionFailed
from gitops_e2e.promoter.promotions.records import Records
from gitops_e2e.promoter.promotions.scope import Scope
from gitops_e2e.promoter.runtime.events import ApplicationName
from gitops_e2e.promoter.steps.argocd_update import ARGOCD_UPDATE


@dataclass(frozen=True)
class ApplicationNames:
    """Tells the Applications from the names in a Promotion's steps, their expressions evaluated."""

    kube: Kube
    evaluator: Evaluator
    argocd_namespace: str = "argocd"

    def __call__(self, promotion: Manifest, freight: Manifest) -> list[ApplicationName]:
        """The Applications; one whose name depends on what steps give out is not known before and left out."""
        scope = Scope.of(self.kube, self.evaluator, promotion, target=reference(freight))
        return [
            ApplicationName(app.get("namespace") or self.argocd_namespace, app["name"])
            for step in promotion["spec"]["steps"]
            if step["uses"] == ARGOCD_UPDATE.name
            for app in _rendered(scope, step)
            if app.get("name")
        ]


def _rendered(scope: Scope, step: Manifest) -> Iterator[dict[str, Any]]:
    config = step.get("config")
    apps = config.get("apps") if isinstance(config, dict) else None
    for app in apps if isinstance(apps, list) else []:
        names = {key: app[key] for key in ("name", "namespace") if key in app}
        try:
            yield scope.enter(step, Records([]), {}).render(names)
        except ExpressionFailed:
            continue
