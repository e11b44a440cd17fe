"""What can be other than it should be with a promotion, so that one of its steps fails: edits of the PromotionTask."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.names import GIT, PipelineNames
from gitops_e2e.pipeline.project import Edit, step_of

Fault = Callable[[Manifest, PipelineNames], None]


def _missing_repository(task: Manifest, names: PipelineNames) -> None:
    for variable in task["spec"]["vars"]:
        if variable["name"] == "gitRepo":
            variable["value"] = variable["value"].replace(
                f"/{names.repository}.git", f"/{names.repository}-missing.git"
            )


def _missing_overlay(task: Manifest, _names: PipelineNames) -> None:
    step_of(task, "build")["config"]["path"] = "./src/stages/missing"


def _foreign_application(task: Manifest, names: PipelineNames) -> None:
    step_of(task, "sync")["config"]["apps"][0]["name"] = names.application("staging")


def _missing_application(task: Manifest, names: PipelineNames) -> None:
    step_of(task, "sync")["config"]["apps"][0]["name"] = f"{names.id}-missing"


def _undefined_variable(task: Manifest, _names: PipelineNames) -> None:
    step_of(task, "clear")["config"]["path"] = "${{ vars.folder }}"


def _invalid_configuration(task: Manifest, _names: PipelineNames) -> None:
    del step_of(task, "clone")["config"]["repoURL"]


def _unencrypted_clone(task: Manifest, names: PipelineNames) -> None:
    # Argo CD reads what is pushed there at its own address.
    step_of(task, "clone")["config"]["repoURL"] = f"http://{GIT}/{names.repository}.git"


def _few_attempts(task: Manifest, _names: PipelineNames) -> None:
    step_of(task, "push")["config"]["maxAttempts"] = 3


def _unknown_step(task: Manifest, _names: PipelineNames) -> None:
    step_of(task, "build")["uses"] = "no-such-step"


FAULTS: Mapping[str, Fault] = {
    "the Git repository does not exist": _missing_repository,
    "the overlay does not exist": _missing_overlay,
    "the Application belongs to another stage": _foreign_application,
    "the Application does not exist": _missing_application,
    "a variable is not defined": _undefined_variable,
    "a step lacks configuration": _invalid_configuration,
    "a step is of no known kind": _unknown_step,
    "it clones over http": _unencrypted_clone,
    "its push may be tried 3 times only": _few_attempts,
}
"""What can be wrong, in a feature's words."""


def fault(what: str, names: PipelineNames) -> Edit:
    """The task with that fault."""
    return lambda task: FAULTS[what](task, names)
