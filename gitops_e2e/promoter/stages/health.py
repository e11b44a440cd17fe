"""The health of a Stage (behaviour file, 3.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import Key
from gitops_e2e.promoter.stages.application_health import ApplicationHealth, assess_application
from gitops_e2e.promoter.stages.draft import Draft

SEVERITY = ("Healthy", "NotApplicable", "Progressing", "Unknown", "Unhealthy")
FindApplication = Callable[[Key], Manifest | None]


class HealthUnknown(HarnessError):
    """Nothing can be said about the health now.

    `settles_in` are the seconds after which time alone may change that, None if it takes an event.
    """

    def __init__(self, settles_in: float | None) -> None:
        super().__init__("Stage health evaluated to Unknown")
        self.settles_in = settles_in


@dataclass(frozen=True)
class _Check:
    """What one health check of the last Promotion found."""

    status: str
    applications: tuple[ApplicationHealth, ...]

    @property
    def output(self) -> Manifest:
        return {"applicationStatuses": [application.output for application in self.applications]}


def assess(draft: Draft, find_application: FindApplication, now: datetime) -> None:
    """Write the Healthy condition and `status.health`. Raises HealthUnknown, when that is written."""
    last = draft.status.get("lastPromotion")
    last_phase = last["status"]["phase"] if last else "Succeeded"
    if "currentPromotion" in draft.status:
        draft.set("Healthy", "Unknown", "ActivePromotion", "Stage has a Promotion in progress")
        issue = "Cannot assess health because a Promotion is currently in progress"
        draft.status["health"] = {"status": "Unknown", "issues": [issue]}
        if last_phase == "Succeeded":
            raise HealthUnknown(settles_in=None)
    elif last is None:
        draft.set("Healthy", "Unknown", "NoFreight", "Stage has no current Freight")
        draft.status.pop("health", None)
    elif last_phase != "Succeeded":
        issue = "Cannot assess health because last Promotion did not succeed"
        draft.set("Healthy", "Unknown", f"LastPromotion{last_phase}", issue)
        draft.status["health"] = {"status": "Unknown", "issues": [issue]}
    else:
        _perform(draft, last["status"].get("healthChecks", []), find_application, now)


def _perform(draft: Draft, wanted: list[Manifest], find_application: FindApplication, now: datetime) -> None:
    checks = [_performed(check, find_application, now) for check in wanted]
    status = _worst(check.status for check in checks)
    applications = [application for check in checks for application in check.applications]
    issues = [application.issue for application in applications if application.issue]
    draft.status["health"] = {
        "status": status,
        **({"issues": issues} if issues else {}),
        **({"output": [check.output for check in checks]} if checks else {}),
    }
    if status == "Healthy":
        draft.set("Healthy", "True", "Healthy", f"Stage is healthy (performed {len(checks)} health checks)")
    elif status == "Unhealthy":
        counted = f"{len(issues)} issues in {len(checks)} health checks"
        draft.set("Healthy", "False", "Unhealthy", f"Stage is unhealthy ({counted})")
    else:
        draft.set("Healthy", "Unknown", status)
    if status == "Unknown":
        settling = [application.settles_in for application in applications if application.settles_in is not None]
        raise HealthUnknown(min(settling, default=None))


def _performed(check: Manifest, find_application: FindApplication, now: datetime) -> _Check:
    """Perform a check that an argocd-update step left; no other step leaves any."""
    applications = []
    for wanted in check["config"]["apps"]:
        key = Key(wanted["namespace"], wanted["name"])
        applications.append(assess_application(key, find_application(key), wanted.get("desiredRevisions") or [], now))
    return _Check(_worst(application.status for application in applications), tuple(applications))


def _worst(statuses: Iterable[str]) -> str:
    return max(statuses, key=SEVERITY.index, default="Healthy")
