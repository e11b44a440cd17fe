"""What a step kind is made of, what a step is given to work with, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest
from gitops_e2e.promoter.credentials import Login
from gitops_e2e.promoter.expressions import Artifacts, Evaluator

StepStatus = Literal["Running", "Succeeded", "Skipped", "Failed", "Errored", "Aborted"]


class StepError(HarnessError):
    """The step did not do its work; its `retry` says how often it is tried again."""


class TerminalStepError(StepError):
    """The step can never do its work, however often it is tried."""


@dataclass(frozen=True)
class StepResult:
    """How a run of a step ended.

    `output` is what later steps can read of it. `health_check` is how the Stage's health is told from now on.
    A step that is `Running`, or `Failed` without an error, is run again, after `retry_after` seconds at the latest
    where it says so.
    """

    status: StepStatus = "Succeeded"
    output: Manifest | None = None
    health_check: Manifest | None = None
    message: str = ""
    retry_after: float | None = None


@dataclass(frozen=True)
class Author:
    """Who commits. Kargo's default, where neither clone nor commit names somebody."""

    name: str = "Kargo"
    email: str = "no-reply@kargo.io"


class GitLogins(Protocol):
    """Where logins are looked up."""

    def find(self, project: str, repo_url: str) -> Login | None:
        """The login of a project for a repository, or None for "without"."""


@dataclass(frozen=True)
class Services:
    """What step runners stand on. `kustomize` and `helm` are commands; `argocd_namespace` is where Applications are."""

    kube: Kube
    evaluator: Evaluator
    logins: GitLogins
    kustomize: Path
    helm: Path
    argocd_namespace: str = "argocd"
    author: Author = field(default_factory=Author)


@dataclass(frozen=True)
class StepContext:
    """One step of one Promotion, about to run.

    `config` is rendered and valid. `actor` is who created the Promotion, such as `admin`, empty for the engine
    itself. `artifacts` are those of the target Freight and of what else is in the Stage.
    """

    services: Services
    config: Mapping[str, Any]
    work_dir: Path
    project: str
    stage: str
    promotion: str
    started_at: str
    actor: str
    artifacts: Artifacts


@dataclass(frozen=True)
class StepKind:
    """A kind of step: its name as in `uses`, the JSON schema of its config, and how it is run.

    `timeout` holds where the step itself names none. `run` raises StepError or TerminalStepError.
    """

    name: str
    schema: Mapping[str, Any]
    run: Callable[[StepContext], StepResult]
    timeout: timedelta | None = None
