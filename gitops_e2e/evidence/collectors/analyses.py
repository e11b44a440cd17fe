"""What the AnalysisRuns of a scenario measured, of canaries and of verifications."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS, AnalysisRun


def collect(scene: Scene) -> Iterator[Piece]:
    """One file: each run, its metrics with their conditions, each measurement with its time and value."""
    collection = scene.cache.now().collections[ANALYSIS_RUNS]
    lines = [
        line
        for namespace in scene.namespaces
        for manifest in collection.objects.get(namespace, {}).values()
        for line in _told(manifest)
    ]
    yield Piece("analyses.txt", "\n".join([*lines, ""]) if lines else "no AnalysisRun\n")


def _told(manifest: Manifest) -> Iterator[str]:
    run = AnalysisRun.of(manifest)
    message = f": {run.message}" if run.message else ""
    yield f"{manifest['metadata']['namespace']} {run.name}: {run.phase or 'not started'}{message}"
    specs = {each["name"]: each for each in manifest.get("spec", {}).get("metrics") or []}
    for result in run.metrics:
        spec = specs.get(result.name, {})
        yield f"  {result.name}: {result.phase}{' (dry run)' if result.dry_run else ''} {result.message}".rstrip()
        for name in ("successCondition", "failureCondition", "failureLimit", "inconclusiveLimit"):
            if name in spec:
                yield f"    {name}: {spec[name]}"
        for each in result.measurements:
            yield f"    {each.finished.isoformat() if each.finished else 'unfinished'} {each}"
