"""`kustomize-build`: render a kustomization into a file or a directory (behaviour file, 6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.steps.files import refusal
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.paths import secure_join
from gitops_e2e.promoter.steps.schemas import TEXT, some, strict

_SECONDS = 120.0
_DIRECTORY_MODE, _FILE_MODE = 0o700, 0o600
# In what kustomize writes, a text value of several lines is always indented.
_DOCUMENT_END = re.compile(r"^---\n", re.MULTILINE)


def _run(context: StepContext) -> StepResult:
    rendered = _build(context, secure_join(context.work_dir, context.config["path"]))
    given = context.config["outPath"]
    target = secure_join(context.work_dir, given)
    try:
        if target.suffix in {".yaml", ".yml"}:
            _write(target, rendered)
        else:
            for name, document in _documents(rendered):
                _write(target / name, document)
    except OSError as error:
        reason = refusal(error, "open", error.filename or target)
        raise StepError(f"failed to write built manifests to {quote(given)}: {reason}") from error
    return StepResult()


def _build(context: StepContext, folder: Path) -> str:
    helm = context.config.get("plugin", {}).get("helm", {})
    versions = [f"--helm-api-versions={version}" for version in helm.get("apiVersions", [])]
    kube_version = [f"--helm-kube-version={helm['kubeVersion']}"] if helm.get("kubeVersion") else []
    argv: list[str | Path] = [
        context.services.kustomize,
        "build",
        folder,
        "--load-restrictor=LoadRestrictionsNone",
        "--enable-helm",
        f"--helm-command={context.services.helm}",
        *versions,
        *kube_version,
    ]
    try:
        return run(argv, timeout=_SECONDS, cwd=context.work_dir, env={"HOME": str(context.work_dir)}).stdout
    except CommandFailed as error:
        said = error.output.rpartition("Error: ")[2].strip()
        raise StepError(said or error.what) from error


def _documents(rendered: str) -> Iterator[tuple[str, str]]:
    """File name and text of each resource."""
    for document in _DOCUMENT_END.split(rendered):
        resource = yaml.load(document, yaml.CSafeLoader)
        if resource:
            metadata = resource["metadata"]
            parts = [metadata.get("namespace"), resource["kind"], metadata["name"]]
            yield "-".join(part for part in parts if part).lower() + ".yaml", document


def _write(file: Path, text: str) -> None:
    for folder in reversed([parent for parent in file.parents if not parent.exists()]):
        folder.mkdir(mode=_DIRECTORY_MODE)
    file.write_text(text, encoding="utf-8")
    file.chmod(_FILE_MODE)


KUSTOMIZE_BUILD = StepKind(
    name="kustomize-build",
    schema=strict(
        {
            "outPath": some(TEXT),
            "path": some(TEXT),
            "plugin": strict(
                {"helm": strict({"apiVersions": {"type": "array", "items": TEXT}, "kubeVersion": TEXT})},
            ),
        },
        "outPath",
        "path",
    ),
    run=_run,
)
