"""`argocd-update`: sync Argo CD Applications and wait for the operations (behaviour file, section 9)."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from gitops_e2e.kube import Conflict, Kube, KubeError, Manifest
from gitops_e2e.promoter.api.kinds import ANNOTATION_PROMOTION
from gitops_e2e.promoter.api.urls import normalized_git_url
from gitops_e2e.promoter.runtime.statuses import merge_patch
from gitops_e2e.promoter.runtime.times import now, parse_time, rfc3339
from gitops_e2e.promoter.steps.applications import UNDER_WAY, UNSUCCESSFUL, Application, Initiator
from gitops_e2e.promoter.steps.model import StepContext, StepError, StepKind, StepResult
from gitops_e2e.promoter.steps.schemas import EMPTY, TEXT, TRUTH, several, some, strict

_CONTROLLER = "kargo-controller"
_REFRESH = "argocd.argoproj.io/refresh"
_REASON = "Promotion triggered a sync of this Application resource."
_LOOK_AGAIN = 30.0
_ATTEMPTS = 10


def _run(context: StepContext) -> StepResult:
    initiator = Initiator(context.promotion, context.actor, parse_time(context.started_at))
    updates: Sequence[Mapping[str, Any]] = context.config["apps"]
    synced = [_sync(context, update, initiator) for update in updates]
    for application, phase in synced:
        if phase in UNSUCCESSFUL:
            raise StepError(f"{application} failed with: {application.operation_message}")
    if any(phase in UNDER_WAY for _, phase in synced):
        return StepResult("Running", retry_after=_LOOK_AGAIN)
    apps = [
        {**_name_of(context, update), "desiredRevisions": _desired_revisions(application, update)}
        for (application, _), update in zip(synced, updates, strict=True)
    ]
    return StepResult(health_check={"uses": ARGOCD_UPDATE.name, "config": {"apps": apps}})


def _sync(context: StepContext, update: Mapping[str, Any], initiator: Initiator) -> tuple[Application, str]:
    """See that the Application is being synced, or was: the Application, and the phase of the operation."""
    kube = context.services.kube
    for _ in range(_ATTEMPTS):
        application = Application.authorized(
            kube, **_name_of(context, update), project=context.project, stage=context.stage
        )
        phase = application.phase_for(initiator, _desired_revisions(application, update))
        if phase is not None:
            return application, phase
        try:
            _start(kube, application, update, initiator)
        except Conflict:
            continue  # what changed may be the very operation that is wanted
        return application, "Running"
    raise StepError(f"error patching {application}: others changed it {_ATTEMPTS} times in a row")


def _name_of(context: StepContext, update: Mapping[str, Any]) -> dict[str, str]:
    return {"name": update["name"], "namespace": update.get("namespace") or context.services.argocd_namespace}


def _desired_revisions(application: Application, update: Mapping[str, Any]) -> list[str]:
    """The revision that each source of the Application is to have, empty for any."""
    updates = update.get("sources", [])

    def desired(source: Manifest) -> str:
        same = (entry for entry in updates if _key(entry) == _key(source))
        return next((entry.get("desiredRevision", "") for entry in same), "")

    return [desired(source) for source in application.sources]


def _key(source: Mapping[str, Any]) -> tuple[str, str]:
    return source.get("repoURL", ""), source.get("chart", "")


# --- starting an operation


def _start(kube: Kube, application: Application, update: Mapping[str, Any], initiator: Initiator) -> None:
    """Ask Argo CD for a sync in one patch. Raises Conflict where the Application changed, StepError."""
    before = application.manifest
    after = copy.deepcopy(before)
    after["metadata"].setdefault("annotations", {})[_REFRESH] = "hard"
    _set_sources(application, after["spec"], update.get("sources", []))
    after["operation"] = _operation(after["spec"].get("syncPolicy", {}), initiator)
    after.get("status", {}).pop("operationState", None)
    patch = merge_patch(before, after)
    # With the resource version the patch is refused if anything was changed since the decision.
    patch["metadata"] = {**patch.get("metadata", {}), "resourceVersion": before["metadata"]["resourceVersion"]}
    try:
        kube.patch(application.ref, patch)
    except Conflict:
        raise
    except KubeError as error:
        raise StepError(f"error patching {application}: {error.message}") from error
    _record(kube, application)


def _operation(sync_policy: Mapping[str, Any], initiator: Initiator) -> Manifest:
    options = sync_policy.get("syncOptions")
    return {
        "initiatedBy": {"username": initiator.username, **({} if initiator.actor else {"automated": True})},
        "info": [
            {"name": "Reason", "value": _REASON},
            {"name": ANNOTATION_PROMOTION, "value": initiator.promotion},
        ],
        "retry": sync_policy.get("retry", {}),
        "sync": {"syncOptions": options} if options else {},
    }


def _set_sources(application: Application, spec: Manifest, updates: Sequence[Mapping[str, Any]]) -> None:
    sources: list[Manifest] = spec.get("sources") or [spec.get("source", {})]
    for update in updates:
        matched = [source for source in sources if _is_meant(source, update)]
        if not matched:
            raise StepError(
                f"error building desired sources for {application}: "
                f"no source of {application} matched update for source with repoURL {update['repoURL']}"
            )
        for source in matched:
            _set_source(source, update)


def _is_meant(source: Manifest, update: Mapping[str, Any]) -> bool:
    if update.get("chart") or source.get("chart"):
        return _key(source) == _key(update)
    return normalized_git_url(source.get("repoURL", "")) == normalized_git_url(update["repoURL"])


def _set_source(source: Manifest, update: Mapping[str, Any]) -> None:
    if update.get("updateTargetRevision"):
        source["targetRevision"] = update["desiredRevision"]
    if images := update.get("kustomize", {}).get("images"):
        source.setdefault("kustomize", {})["images"] = [_kustomize_image(image) for image in images]
    if values := update.get("helm", {}).get("images"):
        parameters = source.setdefault("helm", {}).setdefault("parameters", [])
        for value in values:
            known = next((entry for entry in parameters if entry["name"] == value["key"]), None)
            if known is None:
                parameters.append({"name": value["key"], "value": value["value"]})
            else:
                known["value"] = value["value"]


def _kustomize_image(image: Mapping[str, Any]) -> str:
    name = f"{image['repoURL']}={image['newName']}" if image.get("newName") else image["repoURL"]
    if image.get("digest"):
        return f"{name}@{image['digest']}"
    return f"{name}:{image['tag']}" if image.get("tag") else str(name)


def _record(kube: Kube, application: Application) -> None:
    """Tell of the operation in an Event, as Argo CD's own tools do; one that is lost changes nothing."""
    metadata = application.manifest["metadata"]
    sources = application.sources
    target = sources[0].get("targetRevision", "HEAD") if len(sources) == 1 else f"{len(sources)} sources"
    moment = rfc3339(now())
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{time.time_ns():x}",
            "namespace": metadata["namespace"],
            "annotations": {"user": _CONTROLLER},
        },
        "involvedObject": {
            "apiVersion": application.manifest["apiVersion"],
            "kind": application.manifest["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": "Normal",
        "reason": "OperationStarted",
        "message": f"{_CONTROLLER} initiated sync to {target}",
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "source": {"component": _CONTROLLER},
    }
    try:
        kube.create(event)
    except KubeError:
        pass


# --- config

_TAG_XOR_DIGEST = [
    {"properties": {"digest": EMPTY, "tag": some(TEXT)}, "required": ["tag"]},
    {"properties": {"digest": some(TEXT), "tag": EMPTY}, "required": ["digest"]},
    {"properties": {"digest": EMPTY, "tag": EMPTY}},
]
_KUSTOMIZE_IMAGE = {
    **strict({"digest": TEXT, "newName": TEXT, "repoURL": some(TEXT), "tag": TEXT}, "repoURL"),
    "oneOf": _TAG_XOR_DIGEST,
}
_SOURCE = {
    **strict(
        {
            "chart": TEXT,
            "desiredRevision": some(TEXT),
            "helm": strict(
                {"images": several(strict({"key": some(TEXT), "value": some(TEXT)}, "key", "value"))}, "images"
            ),
            "kustomize": strict({"images": several(_KUSTOMIZE_IMAGE)}, "images"),
            "repoURL": some(TEXT),
            "updateTargetRevision": TRUTH,
        },
        "repoURL",
    ),
    "if": {"properties": {"updateTargetRevision": {"const": True}}, "required": ["updateTargetRevision"]},
    "then": {"required": ["desiredRevision"]},
}

ARGOCD_UPDATE = StepKind(
    name="argocd-update",
    schema=strict(
        {"apps": several(strict({"name": some(TEXT), "namespace": TEXT, "sources": several(_SOURCE)}, "name"))},
        "apps",
    ),
    run=_run,
    timeout=timedelta(minutes=5),
)
