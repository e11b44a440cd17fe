"""The namespace that belongs to a Project."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import AlreadyExists, Kube, Manifest, Ref, Resource
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import (
    ANNOTATION_KEEP_NAMESPACE,
    API_VERSION,
    FINALIZER,
    LABEL_PROJECT,
)
from gitops_e2e.promoter.projects.finalizers import add_finalizer, has_finalizer, remove_finalizer
from gitops_e2e.promoter.runtime import Change, Controller, generation_changed

NAMESPACES = Resource("v1", "Namespace", "namespaces", namespaced=False)


class MissingLabel(HarnessError):
    """A namespace of the Project's name belongs to something else."""


def is_project(namespace: Manifest) -> bool:
    """Whether a Namespace is marked as a Project's."""
    return bool(namespace["metadata"].get("labels", {}).get(LABEL_PROJECT) == "true")


def create_namespace(kube: Kube, project: str) -> Manifest:
    """Create the Namespace of a Project; the one that is there, where somebody was faster."""
    metadata = {"name": project, "labels": {LABEL_PROJECT: "true"}, "finalizers": [FINALIZER]}
    try:
        return kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    except AlreadyExists:
        return kube.get(_ref(project))


def ensure_namespace(kube: Kube, project: Manifest) -> None:
    """See that the Project has its namespace, which goes when the Project goes. Raises MissingLabel."""
    name = project["metadata"]["name"]
    namespace = kube.find(_ref(name)) or create_namespace(kube, name)
    if not is_project(namespace):
        raise MissingLabel(
            f"Namespace {quote(name)} already exists but is not labeled as a Project namespace "
            f"using label {quote(LABEL_PROJECT)}"
        )
    _own(kube, namespace, project)
    add_finalizer(kube, namespace)


def release_namespace(kube: Kube, project: Manifest) -> None:
    """Let the namespace of a deleted Project go, or stay where an annotation asks for that."""
    namespace = kube.find(_ref(project["metadata"]["name"]))
    if namespace is None or not is_project(namespace):
        return
    if _keeps_namespace(project) or _keeps_namespace(namespace):
        others = [owner for owner in _owners(namespace) if owner["uid"] != project["metadata"]["uid"]]
        _write_owners(kube, namespace, others)
    remove_finalizer(kube, namespace)


class NamespaceReconciler:
    """Deletes the Project whose namespace is deleted."""

    resource = NAMESPACES

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def reconcile(self, manifest: Manifest) -> float | None:
        """Let a namespace go, and its Project with it."""
        if has_finalizer(manifest):
            self._kube.delete(Ref(API_VERSION, "Project", manifest["metadata"]["name"]))
            remove_finalizer(self._kube, manifest)
        return None


def namespace_controller(kube: Kube) -> Controller:
    """Looks after Projects' namespaces that are being deleted."""

    def is_deleted(change: Change) -> bool:
        namespace = change.newest
        return generation_changed(change) and is_project(namespace) and "deletionTimestamp" in namespace["metadata"]

    return Controller(NamespaceReconciler(kube), wakes=is_deleted)


def _ref(name: str) -> Ref:
    return Ref("v1", "Namespace", name)


def _keeps_namespace(manifest: Manifest) -> bool:
    return bool(manifest["metadata"].get("annotations", {}).get(ANNOTATION_KEEP_NAMESPACE) == "true")


def _owners(namespace: Manifest) -> list[Manifest]:
    owners: list[Manifest] = namespace["metadata"].get("ownerReferences", [])
    return owners


def _own(kube: Kube, namespace: Manifest, project: Manifest) -> None:
    name, uid = project["metadata"]["name"], project["metadata"]["uid"]
    owners = _owners(namespace)
    if all(owner["uid"] != uid for owner in owners):
        reference = {
            "apiVersion": API_VERSION,
            "kind": "Project",
            "name": name,
            "uid": uid,
            "blockOwnerDeletion": False,
        }
        _write_owners(kube, namespace, [*owners, reference])


def _write_owners(kube: Kube, namespace: Manifest, owners: list[Manifest]) -> None:
    change = {"resourceVersion": namespace["metadata"]["resourceVersion"], "ownerReferences": owners}
    namespace["metadata"] = kube.patch(Ref.of(namespace), {"metadata": change})["metadata"]
