"""The files that are linted, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.lint.documents import Document, read
from gitops_e2e.lint.finding import Finding

_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True)
class Checkout:
    """A copy of the project: its root, the documents in `manifests/` and `kargo/`, and those that are no YAML."""

    root: Path
    manifests: tuple[Document, ...]
    kargo: tuple[Document, ...]
    findings: tuple[Finding, ...]

    @staticmethod
    def read(root: Path) -> Checkout:
        """Read what is there; a file that does not parse is a finding."""
        manifests, wrong_manifests = _folder(root, "manifests")
        kargo, wrong_kargo = _folder(root, "kargo")
        return Checkout(root, manifests, kargo, (*wrong_manifests, *wrong_kargo))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have a folder of manifests."""
        return tuple(path.name for path in sorted((self.root / "manifests" / "stages").glob("*")) if path.is_dir())

    @property
    def application_sets(self) -> Iterator[Document]:
        """What makes the Applications."""
        return (document for document in self.manifests if document.manifest.get("kind") == "ApplicationSet")

    @property
    def selectable_analyses(self) -> Iterator[Document]:
        """The AnalysisTemplates that a stage can select, whether one does or not."""
        for document in self.manifests:
            if document.file.startswith("manifests/analyses/") and document.manifest.get("kind") == "AnalysisTemplate":
                yield document

    def of_kargo(self, kind: str) -> dict[str, Document]:
        """The objects of a kind in `kargo/`, by name."""
        return {
            document.manifest["metadata"]["name"]: document
            for document in self.kargo
            if document.manifest.get("kind") == kind and "name" in (document.manifest.get("metadata") or {})
        }


def _folder(root: Path, name: str) -> tuple[tuple[Document, ...], tuple[Finding, ...]]:
    documents: list[Document] = []
    findings: list[Finding] = []
    for path in sorted(path for path in (root / name).rglob("*") if path.suffix in _SUFFIXES):
        read_documents, wrong = read(root, path)
        documents += read_documents
        findings += wrong
    return tuple(documents), tuple(findings)
