"""Every object is what its API defines, down to the last field: as it is written, and as its stage renders it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gitops_e2e.kube import Manifest
from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Place, value_at
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.renders import Renders
from gitops_e2e.lint.schemas import Complaint, Schemas, UnknownKind, complaints

_TEMPLATE: Place = ("spec", "template")


class Located(Protocol):
    """An object whose parts can be pointed at."""

    @property
    def manifest(self) -> Manifest:
        """The object."""

    def find(self, place: Place, what: str, mend: str) -> Finding:
        """Something wrong at a place of it."""


def check(checkout: Checkout, renders: Renders, schemas: Schemas) -> Iterator[Finding]:
    """All objects that are applied: those of `kargo/`, the ApplicationSets, and those of every stage."""
    for document in (*checkout.kargo, *checkout.application_sets):
        yield from _check(document, schemas)
    for rendered in renders.objects:
        yield from _check(rendered, schemas)


def _check(located: Located, schemas: Schemas) -> Iterator[Finding]:
    manifest = located.manifest
    kind = manifest.get("kind")
    if not kind or not isinstance(manifest.get("metadata"), dict):
        yield located.find((), "this is no Kubernetes object", "give it apiVersion, kind and metadata, or remove it")
        return
    told: set[Place] = set()
    try:
        for complaint in schemas.complaints(manifest):
            told.add(complaint.place)
            yield located.find(complaint.place, complaint.what, complaint.mend)
    except UnknownKind:
        what = f"no API of the pinned versions has {kind} in {manifest.get('apiVersion')}"
        yield located.find(("kind",), what, "mend its kind or its apiVersion")
    # What the definition of a custom resource leaves open of the objects that are made from it.
    for complaint in _complaints_of_template(manifest, schemas):
        place = (*_TEMPLATE, *complaint.place)
        if place not in told:
            yield located.find(place, f"in spec.template, {complaint.what}", complaint.mend)


def _complaints_of_template(manifest: Manifest, schemas: Schemas) -> Iterator[Complaint]:
    template = value_at(manifest, _TEMPLATE)
    if isinstance(template, dict) and manifest["kind"] == "Rollout":
        yield from complaints(schemas.of("v1", "PodTemplateSpec"), template, "a pod template")
    elif isinstance(template, dict) and manifest["kind"] == "ApplicationSet":
        yield from schemas.complaints({"apiVersion": manifest["apiVersion"], "kind": "Application", **template})
