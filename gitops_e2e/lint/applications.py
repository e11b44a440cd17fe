"""The Applications that ApplicationSets make, one for each element of a list generator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_e2e.lint.checkout import Checkout
from gitops_e2e.lint.documents import Document, Place, value_at
from gitops_e2e.lint.finding import Finding
from gitops_e2e.lint.wording import use_instead

AUTHORIZED_STAGE = "kargo.akuity.io/authorized-stage"
_TEMPLATE: Place = ("spec", "template")
_ANNOTATION: Place = ("metadata", "annotations", AUTHORIZED_STAGE)
_FIELD = re.compile(r"\{\{-?\s*\.(?P<name>\w+)\s*-?\}\}")


@dataclass(frozen=True)
class Application:
    """An Application, made by a document from the element at a place of it."""

    document: Document
    element: Place
    values: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """The stage that the element stands for."""
        return str(self.values.get("stage", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return self.at("metadata", "name")

    @property
    def authorized_stage(self) -> str:
        """Which stage may change it, as `<project>:<stage>`; empty where none may."""
        return self.at(*_ANNOTATION)

    def at(self, *place: str | int) -> str:
        """The text at a place of its template, with the element's values put in; empty where there is none."""
        text = value_at(self.document.content, (*_TEMPLATE, *place), "")
        return _FIELD.sub(lambda field: str(self.values.get(field["name"], field[0])), str(text))

    def find(self, place: Place, what: str, mend: str) -> Finding:
        """Something wrong at a place of its template."""
        return self.document.find((*_TEMPLATE, *place), what, mend)

    def find_annotation(self, what: str, mend: str) -> Finding:
        """Something wrong with the stage that may change it."""
        return self.find(_ANNOTATION, what, mend)


def applications(checkout: Checkout) -> list[Application]:
    """All Applications whose values are written down; those of other generators are known to the cluster alone."""
    return [application for document in checkout.application_sets for application in _of(document)]


def unknown_fields(checkout: Checkout) -> Iterator[Finding]:
    """Fields of templates that an element has no value for."""
    for document in checkout.application_sets:
        made = list(_of(document))
        for place, text in document.texts_of(_TEMPLATE):
            for field in _FIELD.finditer(text):
                for application in made:
                    if field["name"] not in application.values:
                        what = f"the element of stage {application.stage or '?'} has no value for {field[0]}"
                        yield document.find(place, what, use_instead(field["name"], application.values))


def _of(document: Document) -> Iterator[Application]:
    for index, generator in enumerate(value_at(document.content, ("spec", "generators")) or []):
        place: Place = ("spec", "generators", index, "list", "elements")
        for number, element in enumerate((generator.get("list") or {}).get("elements") or []):
            if isinstance(element, dict):
                yield Application(document, (*place, number), element)
