"""The stages as kustomize renders them, and where each rendered value stands in the files that it was made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.kube import Manifest
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Document, Place, value_at, values
from gitops_e2e.lint.finding import Finding
from gitops_e2e.side_by_side import side_by_side

_BOUND = 30.0
_ABSENT = object()
# How kustomize begins what it says, once for each folder on the way to the fault.
_ACCUMULATING = "accumulation err='accumulating resources from "
_QUOTED = re.compile(r"""['"]([^'"\s]+)['"]""")


@dataclass(frozen=True)
class Rendered:
    """An object of a stage. `sources` are what it may come from: the stage's own documents, then all others."""

    stage: str
    manifest: Manifest
    own: tuple[Document, ...]
    others: tuple[Document, ...]

    def find(self, place: Place, what: str, mend: str) -> Finding:
        """Something wrong at the place, told where a person has to mend it."""
        document, source = self._source(place)
        return document.find(source, what, mend)

    def _source(self, place: Place) -> tuple[Document, Place]:
        value = value_at(self.manifest, place, _ABSENT)
        sources = (*self.own, *self.others)
        for document in filter(self._is_same, sources):
            if value_at(document.content, place, _ABSENT) == value:
                return document, place
        pointer = "".join(f"/{step}" for step in place)
        for document in self.own:  # the place is another one in a patch
            for source, found in values(document.content):
                if isinstance(found, dict) and found.get("path") == pointer:
                    return document, source
                if source and found == value and (source[-1] == place[-1] or isinstance(place[-1], int)):
                    return document, source
        nearest = next(filter(self._is_same, sources), None)
        return (nearest, place) if nearest else (self.own[0], ())

    def _is_same(self, document: Document) -> bool:
        return (document.manifest.get("kind"), value_at(document.content, ("metadata", "name"))) == (
            self.manifest["kind"],
            self.manifest["metadata"]["name"],
        )


@dataclass(frozen=True)
class Renders:
    """The objects of every stage that can be rendered, and why others cannot."""

    objects: tuple[Rendered, ...]
    findings: tuple[Finding, ...]

    @staticmethod
    def of(checkout: Checkout, kustomize: Path) -> Renders:
        """Render all stages side by side."""
        objects: dict[str, Sequence[Rendered]] = {}
        findings: list[Finding] = []

        def render(stage: str) -> None:
            folder = checkout.root / "manifests" / "stages" / stage
            try:
                text = run([kustomize, "build", folder], timeout=_BOUND).stdout
            except CommandFailed as error:
                findings.append(_refusal(checkout, stage, error))
            else:
                objects[stage] = list(_objects(checkout, stage, text))

        side_by_side([partial(render, stage) for stage in checkout.stages], at_most=4)
        return Renders(
            tuple(each for stage in checkout.stages for each in objects.get(stage, ())), tuple(sorted(findings))
        )

    def of_stage(self, stage: str, kind: str = "") -> list[Rendered]:
        """The objects of a stage, or those of one kind."""
        return [each for each in self.objects if each.stage == stage and kind in {"", each.manifest["kind"]}]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that were rendered."""
        return tuple(dict.fromkeys(each.stage for each in self.objects))


def _objects(checkout: Checkout, stage: str, text: str) -> Iterator[Rendered]:
    prefix = f"manifests/stages/{stage}/"
    own = [document for document in checkout.manifests if document.file.startswith(prefix)]
    inline = [inner for document in own for inner in _patches(document)]
    others = [document for document in checkout.manifests if not document.file.startswith("manifests/stages/")]
    for manifest in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if manifest:
            yield Rendered(stage, manifest, (*own, *inline), tuple(others))


def _patches(kustomization: Document) -> Iterator[Document]:
    patches: Any = kustomization.manifest.get("patches") or []
    for index, patch in enumerate(patches):
        if isinstance(patch, dict) and isinstance(patch.get("patch"), str):
            yield from kustomization.inside(("patches", index, "patch"))


def _refusal(checkout: Checkout, stage: str, error: CommandFailed) -> Finding:
    """What kustomize says in the end, at the line that names what it speaks of."""
    said = " ".join(error.output.replace(f"{checkout.root}/", "").split()).removeprefix("Error: ")
    what = f"kustomize cannot build this: {said.rpartition(_ACCUMULATING)[2] or 'it gives no reason'}"
    mend = "mend what it names"
    kustomizations = [each for each in checkout.manifests if each.manifest.get("kind") == "Kustomization"]
    for name, document in product(reversed(_QUOTED.findall(said)), kustomizations):
        for place, text in document.texts_of(()):
            if text == name:
                return document.find(place, what, mend)
    return Finding(f"manifests/stages/{stage}/kustomization.yaml", 1, what, mend)
