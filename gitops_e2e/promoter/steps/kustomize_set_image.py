"""`kustomize-set-image`: put image tags or digests into a kustomization (behaviour file, 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.expressions import AmbiguousArtifact, ExpressionFailed
from gitops_e2e.promoter.steps.files import read_text
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import EMPTY, TEXT, some, strict

_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _run(context: StepContext) -> StepResult:
    given = context.config["path"]
    file = _kustomization(secure_join(context.work_dir, given), given)
    if "images" in context.config:
        wanted = [_configured(image) for image in context.config["images"]]
    else:
        wanted = _all_images(context)
    try:
        text, images = context.services.evaluator.set_images(read_text(file, "kustomization file"), wanted)
    except ExpressionFailed as error:
        raise StepError(f"could not update images in kustomization file: {error.what}") from error
    file.write_text(text, encoding="utf-8")
    return StepResult(output={"commitMessage": _commit_message(given, images)})


def _kustomization(folder: Path, given: str) -> Path:
    found = [folder / name for name in _FILES if (folder / name).is_file()]
    where = "could not discover kustomization file"
    if not found:
        raise StepError(f"{where}: could not find any Kustomization files in {quote(given)}")
    if len(found) > 1:
        raise StepError(f"{where}: ambiguous result: found multiple Kustomization files in {quote(given)}")
    return found[0]


def _configured(image: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": image.get("name") or image["image"],
        "newName": image.get("newName") or "",
        "newTag": image.get("tag") or "",
        "digest": image.get("digest") or "",
    }


def _all_images(context: StepContext) -> list[dict[str, str]]:
    """Every image of the Freight at hand, by tag and digest."""
    wanted = []
    for reference in context.artifacts.freight:
        for image in reference.get("images", []):
            try:
                found = context.artifacts.image(image["repoURL"])
            except AmbiguousArtifact as error:
                raise StepError(f"manual configuration required due to ambiguous result: {error.what}") from error
            if found:
                wanted.append(
                    {"name": image["repoURL"], "newTag": found.get("tag", ""), "digest": found.get("digest", "")}
                )
    return wanted


def _commit_message(path: str, images: list[dict[str, str]]) -> str:
    what = "image" if len(images) == 1 else "images"
    return "\n".join([f"Updated {path} to use new {what}", "", *(f"- {_reference(image)}" for image in images)])


def _reference(image: Mapping[str, str]) -> str:
    tag = f":{image['newTag']}" if image.get("newTag") else ""
    digest = f"@{image['digest']}" if image.get("digest") else ""
    return f"{image.get('newName') or image['name']}{tag}{digest}"


_SCHEMA = strict(
    {
        "images": {
            "type": "array",
            "items": {
                **strict(
                    {"digest": TEXT, "image": some(TEXT), "name": TEXT, "newName": TEXT, "tag": TEXT},
                    "image",
                ),
                "oneOf": [
                    {"properties": {"digest": EMPTY, "tag": some(TEXT)}, "required": ["tag"]},
                    {"properties": {"digest": some(TEXT), "tag": EMPTY}, "required": ["digest"]},
                ],
            },
        },
        "path": some(TEXT),
    },
    "path",
)

KUSTOMIZE_SET_IMAGE = StepKind(name="kustomize-set-image", schema=_SCHEMA, run=_run)
