"""Running single steps, without a Promotion around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.expressions import Artifacts, Evaluator, ProjectReader
from gitops_e2e.promoter.steps import KINDS, Services, StepContext, StepResult, TerminalStepError


@dataclass(frozen=True)
class Logins:
    """Logins by repository address."""

    known: dict[str, Login]

    def find(self, project: str, repo_url: str) -> Login | None:  # noqa: ARG002 - there is one project only
        return self.known.get(repo_url)


@dataclass(frozen=True)
class Steps:
    """Runs steps in a work directory of their own."""

    work_dir: Path
    services: Services
    logins: dict[str, Login]

    def run(self, uses: str, config: object, *, freight: Sequence[Manifest] = (), **about: str) -> StepResult:
        """Run one step. Raises StepError and its like, also for a config that does not fit."""
        kind = KINDS[uses]
        if complaints := self.services.evaluator.validate(kind.schema, config):
            raise TerminalStepError("\n".join(complaints))
        assert isinstance(config, dict)
        project = about.get("project", "demo")
        origins = [Origin.of(reference["origin"]) for reference in freight]
        context = StepContext(
            services=self.services,
            config=config,
            work_dir=self.work_dir,
            project=project,
            stage=about.get("stage", "dev"),
            promotion=about.get("promotion", "dev.1.abc"),
            started_at=about.get("started_at", "2026-01-01T00:00:00Z"),
            actor=about.get("actor", ""),
            artifacts=Artifacts(ProjectReader(self.services.kube, project), origins, freight),
        )
        return kind.run(context)


@pytest.fixture
def steps(tmp_path: Path, kube: Kube, evaluator: Evaluator, kustomize: Path) -> Steps:
    work_dir = tmp_path / "work"
    work_dir.mkdir()
    logins: dict[str, Login] = {}
    services = Services(kube, evaluator, Logins(logins), kustomize=kustomize, helm=Path("/nowhere/helm"))
    return Steps(work_dir, services, logins)
