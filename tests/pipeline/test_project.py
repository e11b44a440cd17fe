"""Making a Project, without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from gitops_e2e.pipeline.platform import KARGO, Platform
from gitops_e2e.pipeline.project import Project


@dataclass
class Interrupted:
    """An API server that takes the Project, and nothing more before `error` comes."""

    error: BaseException
    there: list[Ref] = field(default_factory=list)

    def create(self, manifest: Manifest) -> Manifest:
        if self.there:
            raise self.error
        self.there.append(Ref.of(manifest))
        return manifest

    def delete(self, ref: Ref) -> None:
        self.there = [each for each in self.there if each != ref]

    def await_absence(self, refs: Sequence[Ref], *, deadline: float) -> list[Ref]:  # noqa: ARG002
        return [ref for ref in refs if ref in self.there]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), HarnessError("this is no login")])
def test_nothing_stays_of_one_that_is_half_made(error: BaseException) -> None:
    kube = Interrupted(error)
    platform = cast(Platform, SimpleNamespace(kube=kube, kargo=KARGO))

    with pytest.raises(type(error)):
        Project.create(platform, PipelineNames(DEMO))

    assert kube.there == []
