"""Steps about the approval service that a stage's analysis asks for leave."""

from __future__ import annotations

from pytest_bdd import given, parsers

from gitops_e2e.pipeline import approval_service
from gitops_e2e.pipeline.pipeline import Pipeline


@given(parsers.parse("an approval service of {stage} approves at once"))
def _(pipeline: Pipeline, stage: str) -> None:
    approval_service.provide(pipeline, stage, decline="0")


@given(parsers.parse("an approval service of {stage} declines once"))
def _(pipeline: Pipeline, stage: str) -> None:
    approval_service.provide(pipeline, stage, decline="1")


@given(parsers.parse("an approval service of {stage} declines always"))
def _(pipeline: Pipeline, stage: str) -> None:
    approval_service.provide(pipeline, stage, decline="always")


@given(parsers.parse("an approval service of {stage} knows another token"))
def _(pipeline: Pipeline, stage: str) -> None:
    approval_service.provide(pipeline, stage, decline="0", refuses=True)
