"""The objects of a scenario's pipelines, as the API server has them, and the events about them."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.kube import KubeError, Manifest, Ref, Resource
from gitops_e2e.pipeline.application import APPLICATIONS, ARGOCD
from gitops_e2e.pipeline.events import EVENTS
from gitops_e2e.pipeline.kargo import ANALYSIS_TEMPLATES, API_VERSION, PROJECT_CONFIGS, PROMOTION_TASKS
from gitops_e2e.pipeline.stories import STORIES

_UNWATCHED = (
    Resource("v1", "Service", "services", namespaced=True),
    Resource("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", namespaced=True),
    ANALYSIS_TEMPLATES,
    PROMOTION_TASKS,
    PROJECT_CONFIGS,
)


def collect(scene: Scene) -> Iterator[Piece]:
    """One file of YAML a kind. What is watched is had from the watch: it is there even if the API server is not."""
    snapshot = scene.cache.now()
    for resource in STORIES:
        collection = snapshot.collections.get(resource)
        if collection and resource != EVENTS:
            found = [each for place in scene.namespaces for each in collection.objects.get(place, {}).values()]
            if resource == APPLICATIONS:
                applications = collection.objects.get(ARGOCD, {})
                found = [applications[name] for name in scene.applications if name in applications]
            yield from _piece(resource, found, f"# {collection.blind}\n" if collection.blind else "")
    for resource in _UNWATCHED:
        yield from _piece(resource, [each for place in scene.namespaces for each in scene.kube.list(resource, place)])
    yield from _whole(scene)


def events(scene: Scene) -> Iterator[Piece]:
    """What controllers and the kubelet reported, a line each, oldest first."""
    collection = scene.cache.now().collections[EVENTS]
    found = [each for place in scene.namespaces for each in collection.objects.get(place, {}).values()]
    found += [each for each in collection.objects.get(ARGOCD, {}).values() if _about(each) in scene.applications]
    yield Piece("events.txt", "".join(f"{_line(each)}\n" for each in sorted(found, key=_last)))


def _whole(scene: Scene) -> Iterator[Piece]:
    """What makes the others: the ApplicationSets and Projects."""
    found = []
    for names in scene.pipelines:
        for ref in (
            Ref(APPLICATIONS.api_version, "ApplicationSet", names.application_set, ARGOCD),
            Ref(API_VERSION, "Project", names.project),
        ):
            try:
                found.append(scene.kube.get(ref))
            except KubeError as error:
                found.append({"kind": ref.kind, "missing": str(error)})
    if found:
        yield Piece("objects/made-from.yaml", dumped(found))


def _piece(resource: Resource, found: list[Manifest], heading: str = "") -> Iterator[Piece]:
    if found:
        yield Piece(f"objects/{resource.plural}.yaml", heading + dumped(found))


def dumped(manifests: list[Manifest]) -> str:
    """Manifests as YAML, without the bookkeeping of field managers."""
    for manifest in manifests:
        manifest.get("metadata", {}).pop("managedFields", None)
    return yaml.dump_all(manifests, Dumper=_Dumper, sort_keys=False, width=10_000)


class _Dumper(yaml.SafeDumper):
    """Writes what several objects share into each of them: states in the watch cache share what did not change."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _line(event: Manifest) -> str:
    about = event.get("involvedObject", {})
    times = f" (x{event['count']})" if event.get("count", 1) > 1 else ""
    words = " ".join(str(event.get("message", "")).split())
    place = f"{about.get('namespace', '')} {about.get('kind', '')}/{about.get('name', '')}"
    return f"{_last(event)} {event.get('type', '')} {place} {event.get('reason', '')}: {words}{times}"


def _last(event: Manifest) -> str:
    stamps = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return next((str(stamp) for stamp in stamps if stamp), "")


def _about(event: Manifest) -> str:
    return str(event.get("involvedObject", {}).get("name", ""))
