"""The AnalysisRuns that verify Freight: found, built and created (behaviour file, 3.9)."""

from __future__ import annotations

from typing import Any

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import KubeError, Manifest, Ref, Resource, Unreachable
from gitops_e2e.promoter.api.kinds import (
    ANNOTATION_PROMOTION,
    ANNOTATION_STAGE,
    FREIGHTS,
    LABEL_FREIGHT_COLLECTION,
    LABEL_STAGE,
)
from gitops_e2e.promoter.api.names import analysis_run_name, shortened_label
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.expressions import (
    Artifacts,
    Environment,
    Evaluator,
    ProjectReader,
    data_functions,
    freight_functions,
)
from gitops_e2e.promoter.runtime import Key, StoringKube
from gitops_e2e.promoter.stages.analysis_templates import merged_spec
from gitops_e2e.promoter.stages.draft import Draft

ANALYSIS_RUNS = Resource("argoproj.io/v1alpha1", "AnalysisRun", "analysisruns", namespaced=True)

_GO_TYPES = {bool: "bool", int: "float64", float: "float64", dict: "map[string]interface {}", list: "[]interface {}"}


class CannotVerify(HarnessError):
    """The AnalysisRun cannot be made; trying again as it is would not help."""


class AnalysisRuns:
    """The AnalysisRuns of all Projects."""

    def __init__(self, kube: StoringKube, evaluator: Evaluator) -> None:
        self._kube = kube
        self._evaluator = evaluator
        self._runs = kube.stores.of(ANALYSIS_RUNS)
        self._freights = kube.stores.of(FREIGHTS)

    def find(self, verification: Manifest) -> Manifest | None:
        """The AnalysisRun of a verification, if it has one that exists."""
        reference = verification.get("analysisRun")
        return self._runs.get(Key(reference["namespace"], reference["name"])) if reference else None

    def of_stage(self, namespace: str, stage: str) -> list[Manifest]:
        """All AnalysisRuns that verify Freight in a Stage."""
        return [run for run in self._runs.list(namespace) if _labels(run).get(LABEL_STAGE) == shortened_label(stage)]

    def newest(self, draft: Draft, collection_id: str) -> Manifest | None:
        """The AnalysisRun that was made last for this collection in this Stage."""
        runs = self.of_stage(draft.namespace, draft.name)
        same = [run for run in runs if _labels(run).get(LABEL_FREIGHT_COLLECTION) == collection_id]
        return max(same, key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]), default=None)

    def create(self, draft: Draft, collection: Manifest, *, promotion: str | None) -> Manifest:
        """Make the AnalysisRun that verifies the collection. Raises CannotVerify, Unreachable."""
        manifest = self._built(draft, collection, promotion)
        try:
            return self._kube.create(manifest)
        except Unreachable:
            raise
        except KubeError as error:
            what = f'AnalysisRun "{manifest["metadata"]["name"]}" in namespace "{draft.namespace}"'
            raise CannotVerify(f"error creating {what}: {error.message}") from error

    def terminate(self, run: Manifest) -> None:
        """Have the AnalysisRun end now."""
        self._kube.patch(Ref.of(run), {"spec": {"terminate": True}})

    # --- building

    def _built(self, draft: Draft, collection: Manifest, promotion: str | None) -> Manifest:
        try:
            spec = merged_spec(self._templates(draft), self._arguments(draft, collection))
        except Unreachable:
            raise
        except HarnessError as error:
            what = f'Stage "{draft.name}" and Freight collection "{collection["id"]}" in namespace "{draft.namespace}"'
            raise CannotVerify(f"error building AnalysisRun for {what}: {error.what}") from error
        wanted = draft.stage["spec"]["verification"].get("analysisRunMetadata", {})
        label = shortened_label(draft.name)
        annotations = dict(wanted.get("annotations", {}))
        if promotion:
            annotations[ANNOTATION_PROMOTION] = promotion
        if label != draft.name:
            annotations[ANNOTATION_STAGE] = draft.name
        return {
            "apiVersion": ANALYSIS_RUNS.api_version,
            "kind": ANALYSIS_RUNS.kind,
            "metadata": {
                "name": analysis_run_name(draft.name, collection["id"]),
                "namespace": draft.namespace,
                "labels": {
                    **wanted.get("labels", {}),
                    LABEL_STAGE: label,
                    LABEL_FREIGHT_COLLECTION: collection["id"],
                },
                "annotations": annotations,
                "ownerReferences": self._owners(draft, collection),
            },
            "spec": spec,
            "status": {
                "phase": "",
                "runSummary": {},
            },  # Kargo sends it along, and it is kept: the kind has no subresource
        }

    def _owners(self, draft: Draft, collection: Manifest) -> list[Manifest]:
        found = (self._freights.get(Key(draft.namespace, item["name"])) for item in collection["items"].values())
        return [
            {
                "apiVersion": FREIGHTS.api_version,
                "kind": FREIGHTS.kind,
                "name": freight["metadata"]["name"],
                "uid": freight["metadata"]["uid"],
                "blockOwnerDeletion": False,
            }
            for freight in found
            if freight is not None
        ]

    def _templates(self, draft: Draft) -> list[Manifest]:
        references = draft.stage["spec"]["verification"].get("analysisTemplates", [])
        names = [reference["name"] for reference in references if not _is_cluster_wide(reference)]
        cluster_names = [reference["name"] for reference in references if _is_cluster_wide(reference)]
        return [
            *(
                self._template(Ref(ANALYSIS_RUNS.api_version, "AnalysisTemplate", name, draft.namespace))
                for name in names
            ),
            *(
                self._template(Ref(ANALYSIS_RUNS.api_version, "ClusterAnalysisTemplate", name))
                for name in cluster_names
            ),
        ]

    def _template(self, ref: Ref) -> Manifest:
        try:
            return self._kube.get(ref)
        except Unreachable:
            raise
        except KubeError as error:
            # Kargo says AnalysisRun here, although it is the template that it does not find.
            what = f'AnalysisRun "{ref.name}" in namespace "{ref.namespace}"' if ref.namespace else str(ref)
            raise CannotVerify(f"get {what}: {error.message}") from error

    def _arguments(self, draft: Draft, collection: Manifest) -> dict[str, str]:
        environment = self._environment(draft, collection)
        return {
            argument["name"]: self._argument(argument, environment)
            for argument in draft.stage["spec"]["verification"].get("args", [])
        }

    def _argument(self, argument: Manifest, environment: Environment) -> str:
        value = self._evaluator.render(argument.get("value", ""), environment)
        if not isinstance(value, str):
            raise CannotVerify(f'evaluated argument "{argument["name"]}" value is not a string but {_go_type(value)}')
        return value

    def _environment(self, draft: Draft, collection: Manifest) -> Environment:
        reader = ProjectReader(self._kube, draft.namespace)
        requested = [Origin.of(request["origin"]) for request in draft.stage["spec"]["requestedFreight"]]
        artifacts = Artifacts(reader, requested, collection["items"].values())
        functions = data_functions(reader) | freight_functions(reader, artifacts)
        values: dict[str, Any] = {}
        environment = Environment({"ctx": {"project": draft.namespace, "stage": draft.name}, "vars": values}, functions)
        for variable in draft.stage["spec"].get("vars", []):
            values[variable["name"]] = self._evaluator.render(variable.get("value", ""), environment)
        return environment


def stage_of(run: Manifest) -> str | None:
    """The name of the Stage whose Freight an AnalysisRun verifies."""
    metadata = run["metadata"]
    full_name = metadata.get("annotations", {}).get(ANNOTATION_STAGE)
    name: str | None = full_name or _labels(run).get(LABEL_STAGE)
    return name


def _labels(run: Manifest) -> dict[str, str]:
    labels: dict[str, str] = run["metadata"].get("labels", {})
    return labels


def _is_cluster_wide(reference: Manifest) -> bool:
    return bool(reference.get("kind") == "ClusterAnalysisTemplate")


def _go_type(value: Any) -> str:
    return _GO_TYPES.get(type(value), "<nil>")
