"""`set-metadata`: put values into the metadata of Stages and Freight (behaviour file, 6.11)."""

from __future__ import annotations

from gitops_e2e.kube import KubeError, NotFound, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.schemas import TEXT, several, some, strict


def _run(context: StepContext) -> StepResult:
    for update in context.config["updates"]:
        ref = Ref(API_VERSION, update["kind"], update["name"], context.project)
        try:
            context.services.kube.patch(ref, {"status": {"metadata": update["values"]}}, subresource="status")
        except NotFound as error:
            raise StepError(f"error getting {ref.kind}: {error.message}") from error
        except KubeError as error:
            raise StepError(f"error updating {ref.kind} metadata: {error.message}") from error
    return StepResult()


SET_METADATA = StepKind(
    name="set-metadata",
    schema=strict(
        {
            "updates": several(
                strict(
                    {
                        "kind": {"enum": ["Stage", "Freight"]},
                        "name": some(TEXT),
                        "values": {"type": "object", "minProperties": 1},
                    },
                    "kind",
                    "name",
                    "values",
                )
            )
        },
        "updates",
    ),
    run=_run,
)
