"""What an Argo CD Application says about the health of a Stage (behaviour file, 9.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import Key, parse_time

_COOL_DOWN_SECONDS = 10.0
_SOURCE = {"repoURL": None, "targetRevision": None, "chart": None, "kustomize": None, "helm": None}
_REPORTED: Manifest = {  # the fields of an Application's status that Kargo's own, smaller type has
    "health": {"status": None, "message": None},
    "sync": {"status": None, "revision": None, "revisions": None},
    "conditions": {"type": None, "message": None, "lastTransitionTime": None},
    "operationState": {
        "operation": {
            "sync": {"syncOptions": None},
            "initiatedBy": None,
            "info": None,
            "retry": None,
        },
        "phase": None,
        "message": None,
        "syncResult": {"revision": None, "revisions": None, "source": _SOURCE, "sources": _SOURCE},
        "finishedAt": None,
    },
}


@dataclass(frozen=True)
class ApplicationHealth:
    """What was found; `issue` is empty for a healthy Application.

    `output` is the Application as `status.health.output` shows it; `settles_in` are the seconds after which
    time alone may change the finding, None if it takes a change of the Application.
    """

    status: str
    issue: str
    output: Manifest
    settles_in: float | None = None


def assess_application(
    key: Key, application: Manifest | None, desired_revisions: Sequence[str], now: datetime
) -> ApplicationHealth:
    """The health of an Application whose sources should be at these revisions (empty: at any)."""
    named = f'Argo CD Application "{key.name}" in namespace "{key.namespace}"'
    output: Manifest = {"Namespace": key.namespace, "Name": key.name}
    if application is None:
        output |= {"health": {"status": "Unknown"}, "sync": {"status": "Unknown"}}
        return ApplicationHealth("Unknown", f"unable to find {named}", output)
    status = application.get("status", {})
    output |= {"health": {}, "sync": {}} | _reduced(status, _REPORTED)
    if untrusted := _untrusted(status, named, now):
        return ApplicationHealth("Unknown", untrusted.issue, output, untrusted.settles_in)
    health, issue = _verdict(application, status, named, desired_revisions)
    return ApplicationHealth(health, issue, output)


@dataclass(frozen=True)
class _Untrusted:
    issue: str
    settles_in: float | None


def _untrusted(status: Manifest, named: str, now: datetime) -> _Untrusted | None:
    """Why the status does not tell of the last operation's outcome yet."""
    state = status.get("operationState")
    suffix = "; Application health status not trusted"
    if not state:
        return None
    if state.get("phase") != "Succeeded":
        return _Untrusted(f'last operation of {named} has status "{state.get("phase", "")}"{suffix}', None)
    if finished_at := state.get("finishedAt"):
        left = _COOL_DOWN_SECONDS - (now - parse_time(finished_at)).total_seconds()
        if left > 0:
            return _Untrusted(f"last operation of {named} completed less than 10s ago{suffix}", left)
    return None


def _verdict(application: Manifest, status: Manifest, named: str, desired_revisions: Sequence[str]) -> tuple[str, str]:
    for condition in status.get("conditions", []):
        if condition["type"] in {"ComparisonError", "InvalidSpecError"}:
            return "Unhealthy", f'{named} has "{condition["type"]}" condition: {condition["message"]}'
    health = status.get("health", {}).get("status", "")
    if health in {"Progressing", ""}:
        return "Progressing", f"{named} is progressing"
    if health == "Suspended":
        return "Progressing", f"{named} is suspended"
    if health != "Healthy":
        return "Unhealthy", f'{named} has health state "{health}"'
    if not any(desired_revisions):
        return "Healthy", ""
    return _sync_verdict(application, status, named, desired_revisions)


def _sync_verdict(
    application: Manifest, status: Manifest, named: str, desired_revisions: Sequence[str]
) -> tuple[str, str]:
    if application.get("operation") or not status.get("operationState", {}).get("finishedAt"):
        return "Unknown", f"{named} is being synced"
    spec = application.get("spec", {})
    sources = spec.get("sources") or ([spec["source"]] if "source" in spec else [])
    if len(sources) != len(desired_revisions):
        counted = f"{len(sources)} sources but {len(desired_revisions)} desired revisions"
        return "Unknown", f"{named} has {counted}"
    sync = status.get("sync", {})
    revisions = sync.get("revisions") or [sync.get("revision", "")]
    briefly = named.removeprefix("Argo CD ")
    issues = [
        f'Source {index} with RepoURL {source["repoURL"]} of {briefly} does not match the desired revision "{desired}".'
        for index, (source, desired) in enumerate(zip(sources, desired_revisions, strict=True))
        if desired and (index >= len(revisions) or revisions[index] != desired)
    ]
    if issues:
        unsynced = f"Not all sources of {briefly} are synced to the desired revisions."
        return "Unhealthy", f"{unsynced} Issues: {' '.join(issues)}"
    return "Healthy", ""


def _reduced(value: Manifest, wanted: Manifest) -> Manifest:
    """The wanted fields of a value; what is wanted of a list is wanted of each of its entries."""
    found: Manifest = {}
    for field, inner in wanted.items():
        entry = value.get(field)
        if entry is None:
            continue
        if inner is None:
            found[field] = entry
        elif isinstance(entry, list):
            found[field] = [_reduced(one, inner) for one in entry]
        else:
            found[field] = _reduced(entry, inner)
    return found
